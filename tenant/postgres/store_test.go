package postgres_test

import (
	"testing"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
	"github.com/devrev/pairdb/tenant/tenanttest"
)

func TestItKeepsTheContractOfAStore(t *testing.T) {
	tenanttest.Run(t, func(t *testing.T) tenant.Store {
		s, _ := newStore(t)
		return s
	}, tenanttest.AnotherHandle(func(t *testing.T, s tenant.Store) tenant.Store {
		return another(t, s)
	}))
}

// another returns a Store on a pool of its own, as another process would have it.
func another(t *testing.T, s tenant.Store) tenant.Store {
	return storeOn(t, newPool(t, s.(*postgres.Store).Pool().Config().ConnString()))
}
