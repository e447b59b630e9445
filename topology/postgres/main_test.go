package postgres_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"
)

//pairdb:needs postgres

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Tests{M: m}) }

// newStore returns a Store of the cluster of sample on a database of its own, with its tables and nothing in them, and its pool.
func newStore(t *testing.T, opts ...postgres.Option) (*postgres.Store, *pgxpool.Pool) {
	t.Helper()
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	s := storeOn(t, pool, opts...)
	require.NoError(t, s.Migrate(t.Context()))
	return s, pool
}

func storeOn(t *testing.T, pool *pgxpool.Pool, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.New(pool, "shop", opts...)
	require.NoError(t, err)
	return s
}

// sample returns a topology of the cluster "shop" that uses every field but the store ids: it is empty.
func sample() topology.Topology {
	return topology.Topology{
		Cluster:    "shop",
		Epoch:      7,
		Partitions: 64,
		Hash:       ring.SHA256,
		Nodes: []topology.Node{
			{ID: "n1", Addr: "10.0.0.1:7400", Zone: "a", Weight: 1.5},
			{ID: "n2", Addr: "[fd00::2]:7400", Zone: "b", State: topology.Draining},
			{ID: "n3", Addr: "n3.example:7400"},
			{ID: "n4", Addr: "n4.example:7400"},
			{ID: "n5", Addr: "n5.example:7400"},
		},
	}
}

func exec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// count returns how many of errs are want.
func count(errs []error, want error) (n int) {
	for _, err := range errs {
		if errors.Is(err, want) {
			n++
		}
	}
	return n
}
