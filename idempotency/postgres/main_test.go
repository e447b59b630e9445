package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/postgres"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/vclock"
)

//pairdb:needs postgres

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Tests{M: m}) }

// newStore returns a migrated Store on a database of its own, and its pool.
func newStore(t testing.TB, opts ...postgres.Option) (*postgres.Store, *pgxpool.Pool) {
	t.Helper()
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	s := storeOn(t, pool, opts...)
	require.NoError(t, s.Migrate(t.Context()))
	return s, pool
}

func storeOn(t testing.TB, pool *pgxpool.Pool, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.New(pool, opts...)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

func freshKey() idempotency.Key {
	return idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "cart/1", Token: idempotency.NewKey()}
}

// put is the n-th write of a key.
func put(n int, value string) idempotency.Intent {
	return idempotency.Intent{
		Fingerprint: idempotency.Fingerprint{15: 1},
		Op:          idempotency.Put,
		State: vclock.WriteState(vclock.Causal, nil, vclock.Sibling{
			Dot:   vclock.Dot{Actor: vclock.Actor(n+1) * vclock.Lanes, Stamp: vclock.StampOf(1_700_000_000_000, 0)},
			Value: []byte(value),
		}),
	}
}
