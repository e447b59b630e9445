package tenanttest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/tenanttest"
)

func TestMemoryKeepsTheContractOfAStore(t *testing.T) {
	tenanttest.Run(t, newMemory, tenanttest.AnotherHandle(
		func(_ *testing.T, s tenant.Store) tenant.Store { return s }))
}

func TestMemoryKeepsTheContractOfAReader(t *testing.T) {
	tenanttest.RunReader(t, func(t *testing.T, configs ...tenant.Config) tenant.Reader {
		m, err := tenant.NewMemory(configs...)
		require.NoError(t, err)
		return m
	})
}

func newMemory(t *testing.T) tenant.Store {
	m, err := tenant.NewMemory()
	require.NoError(t, err)
	return m
}
