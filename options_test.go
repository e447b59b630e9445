package pairdb_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/topology"
)

func TestABadOptionIsRefusedByItsName(t *testing.T) {
	source := topology.Addrs("shop", "n1=localhost:1")
	for _, c := range []struct {
		field  string
		option pairdb.Option
	}{
		{"Option", nil},
		{"WithTenants", pairdb.WithTenants(nil)},
		{"WithLevels", pairdb.WithLevels(pairdb.Levels{Read: 17})},
		{"WithLevels", pairdb.WithLevels(pairdb.Levels{Write: 17})},
		{"WithResolver", pairdb.WithResolver(nil)},
		{"WithTimeout", pairdb.WithTimeout(0)},
		{"WithTimeout", pairdb.WithTimeout(-1)},
		{"WithLimits.MaxValueBytes", pairdb.WithLimits(pairdb.Limits{MaxValueBytes: -1})},
		{"WithLimits.MaxValueBytes", pairdb.WithLimits(pairdb.Limits{MaxValueBytes: pairdb.MaxMaxValueBytes + 1})},
		{"WithLimits", pairdb.WithLimits(pairdb.Limits{KeyMemory: -1})},
		{"WithLimits", pairdb.WithLimits(pairdb.Limits{MaxInFlight: -1})},
		{"WithLimits", pairdb.WithLimits(pairdb.Limits{MaxInFlightBytes: -1})},
		{"WithHooks", pairdb.WithHooks(struct{}{})},
		{"WithHooks", pairdb.WithHooks(&recorder{}, nil)},
		{"WithLogger", pairdb.WithLogger(nil)},
		{"WithDialer", pairdb.WithDialer(nil)},
		{"WithTLS", pairdb.WithTLS(nil)},
	} {
		_, err := pairdb.Open(t.Context(), source, c.option)
		require.ErrorIs(t, err, pairdb.ErrInvalid, c.field)
		refused, ok := errors.AsType[*pairdb.InputError](err)
		require.True(t, ok, c.field)
		require.Equal(t, c.field, refused.Field)
	}
}

func TestAllBadOptionsAreToldAtOnce(t *testing.T) {
	_, err := pairdb.Open(t.Context(), topology.Addrs("shop", "n1=localhost:1"), pairdb.WithTimeout(0), pairdb.WithResolver(nil))
	require.ErrorContains(t, err, "WithTimeout")
	require.ErrorContains(t, err, "WithResolver")
}

func TestTheGreatestLimitsAreTaken(t *testing.T) {
	client, err := pairdb.Open(t.Context(), topology.Addrs("shop", "n1=localhost:1"), pairdb.WithLimits(pairdb.Limits{
		MaxValueBytes: pairdb.MaxMaxValueBytes, KeyMemory: 1, MaxInFlight: 1, MaxInFlightBytes: 1,
	}))
	require.NoError(t, err)
	require.NoError(t, client.Close(soon(t)))
}
