package tenant_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/tenanttest"
)

func TestACacheOfAStoreKeepsTheContractOfAStore(t *testing.T) {
	tenanttest.Run(t, func(t *testing.T) tenant.Store { return newCache(t, newMemory(t)) })
}

func TestACacheOfACacheKeepsTheContractOfAStore(t *testing.T) {
	tenanttest.Run(t, func(t *testing.T) tenant.Store { return newCache(t, newCache(t, newMemory(t))) })
}

func TestACacheKeepsTheContractOfAReader(t *testing.T) {
	tenanttest.RunReader(t, func(t *testing.T, configs ...tenant.Config) tenant.Reader {
		return newCache(t, newMemory(t, configs...))
	})
}

func newMemory(tb testing.TB, configs ...tenant.Config) *tenant.Memory {
	tb.Helper()
	m, err := tenant.NewMemory(configs...)
	require.NoError(tb, err)
	return m
}

func newCache(tb testing.TB, r tenant.Reader, opts ...tenant.CacheOption) *tenant.Cache {
	tb.Helper()
	c, err := tenant.NewCache(r, opts...)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Close()) })
	return c
}
