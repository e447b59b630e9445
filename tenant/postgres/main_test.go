package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
)

//pairdb:needs postgres

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Tests{M: m}) }

// newStore returns a migrated Store on a database of its own, and its pool.
func newStore(t *testing.T, opts ...postgres.Option) (*postgres.Store, *pgxpool.Pool) {
	t.Helper()
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	s := storeOn(t, pool, opts...)
	require.NoError(t, s.Migrate(t.Context()))
	return s, pool
}

func storeOn(t *testing.T, pool *pgxpool.Pool, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.New(pool, opts...)
	require.NoError(t, err)
	return s
}

func run(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

func isVersion(err error) bool { return errors.Is(err, tenant.ErrVersion) }
