package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"
	"github.com/devrev/pairdb/topology/topologytest"
)

func TestItKeepsTheContractOfASource(t *testing.T) {
	for name, opts := range map[string][]postgres.Option{
		"told":   nil,
		"polled": {postgres.WithoutNotify(), postgres.PollEvery(5 * time.Millisecond)},
	} {
		t.Run(name, func(t *testing.T) {
			url := testservers.SharedPostgres(t)
			made := 0
			topologytest.Run(t, func(t *testing.T) (topology.Source, func(topology.Topology)) {
				made++
				opts := append(opts[:len(opts):len(opts)], postgres.Schema(fmt.Sprintf("s%d", made)))
				s := storeOn(t, testservers.NewPool(t, url), opts...)
				require.NoError(t, s.Migrate(t.Context()))
				require.NoError(t, s.Create(t.Context(), sample()))
				other := storeOn(t, testservers.NewPool(t, url), opts...) // as another process would
				return s, func(next topology.Topology) {
					t.Helper()
					require.NoError(t, other.Force(t.Context(), next))
				}
			})
		})
	}
}
