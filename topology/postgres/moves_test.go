package postgres_test

import (
	"context"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"

	"github.com/devrev/pairdb/internal/testservers"
)

// moving are changes of sample that give keys other owners.
var moving = map[string]func(*topology.Topology){
	"a zone":            func(t *topology.Topology) { t.Nodes[2].Zone = "a" },
	"a weight":          func(t *topology.Topology) { t.Nodes[3].Weight = 3 },
	"a node that comes": func(t *topology.Topology) { t.Nodes = append(t.Nodes, topology.Node{ID: "n9", Addr: "n9:1"}) },
	"a node that goes":  func(t *topology.Topology) { t.Nodes = t.Nodes[1:] },
	"another id":        func(t *topology.Topology) { t.Nodes[4].ID = "n6" },
}

// other has other nodes, zones and weights than sample.
func other(t *topology.Topology) {
	t.Nodes = append(t.Nodes[1:], topology.Node{ID: "n9", Addr: "n9:1", Zone: "z"})
	t.Nodes[0].Zone, t.Nodes[1].Weight = "elsewhere", 4
}

func TestAnUpdateTakesOnlyWhatMovesNoDataWhetherStoresAreRecordedOrNot(t *testing.T) {
	for name, record := range map[string]bool{"no store is recorded": false, "a store is recorded": true} {
		t.Run(name, func(t *testing.T) {
			s := created(t)
			if record {
				require.NoError(t, s.RecordStore(t.Context(), "n2", 5))
			}
			has, err := s.Current(t.Context())
			require.NoError(t, err)
			for name, change := range moving {
				t.Run(name, func(t *testing.T) {
					err := s.Update(t.Context(), next(t, s, change))
					require.ErrorIs(t, err, postgres.ErrMoves)
					require.Contains(t, err.Error(), "% of the ownerships") // for people: how much
					holds(t, s, *has)
				})
			}
			want := next(t, s, func(t *topology.Topology) {
				t.Nodes[0].Addr = "elsewhere:1"
				t.Nodes[1].State = topology.Active
				t.Nodes[2].StoreID = math.MaxUint64
			})
			require.NoError(t, s.Update(t.Context(), want))
			holds(t, s, want)
		})
	}
}

// Clients with a role that only reads have written keys, and left no trace of it in the database.
func TestAClusterWhoseClientsMayOnlyReadTheTopologyTakesNoUpdateThatMovesData(t *testing.T) {
	s, pool := newStore(t)
	require.NoError(t, s.Create(t.Context(), sample()))
	client := readerOf(t, pool)
	_, err := client.Watch(t.Context(), 0)
	require.NoError(t, err)
	for _, n := range sample().Nodes {
		var pg *pgconn.PgError
		require.ErrorAs(t, client.RecordStore(t.Context(), n.ID, 5), &pg)
		require.Equal(t, "42501", pg.Code)
	}
	require.ErrorIs(t, s.Update(t.Context(), next(t, s, moving["a node that comes"])), postgres.ErrMoves)
	holds(t, s, sample())
}

// With one partition a node that is always the last owner can go without another taking its place.
func TestANodeThatOwnsWhatOthersOwnTooCannotGo(t *testing.T) {
	s, _ := newStore(t)
	small := sample()
	small.Partitions, small.Nodes = 1, small.Nodes[:2]
	require.NoError(t, s.Create(t.Context(), small))
	for i := range small.Nodes {
		without := next(t, s, func(t *topology.Topology) { t.Nodes = append(t.Nodes[:i:i], t.Nodes[i+1:]...) })
		require.ErrorIs(t, s.Update(t.Context(), without), postgres.ErrMoves)
	}
}

func TestAnOperatorsWordThatTheClusterIsEmptyLetsNodesZonesAndWeightsChange(t *testing.T) {
	s := created(t)
	want := next(t, s, other)
	require.NoError(t, s.UpdateEmpty(t.Context(), want))
	holds(t, s, want)
	require.ErrorIs(t, s.UpdateEmpty(t.Context(), want), postgres.ErrEpoch)
	want = next(t, s, func(t *topology.Topology) { t.Nodes[0].StoreID = 5 })
	require.NoError(t, s.UpdateEmpty(t.Context(), want))
	holds(t, s, want)
}

func TestAnOperatorsWordThatTheClusterIsEmptyIsNotTakenWhereAnyStoreIsRecorded(t *testing.T) {
	for _, record := range []func(context.Context, *postgres.Store) error{
		func(ctx context.Context, s *postgres.Store) error { return s.RecordStore(ctx, "n5", 5) },
		func(ctx context.Context, s *postgres.Store) error { return s.AcceptStore(ctx, "n5", 5) },
	} {
		s := created(t)
		stale := next(t, s, other)
		require.NoError(t, record(t.Context(), s))
		has, err := s.Current(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, s.UpdateEmpty(t.Context(), stale), postgres.ErrEpoch, "it was read before the store was recorded")
		for _, change := range []func(*topology.Topology){
			other,
			func(t *topology.Topology) { t.Nodes = t.Nodes[:4] }, // the one whose store is recorded goes
			func(t *topology.Topology) { t.Nodes[4].StoreID = 6 },
			func(t *topology.Topology) { t.Nodes[0].Addr = "elsewhere:1" },
		} {
			err := s.UpdateEmpty(t.Context(), next(t, s, change))
			require.ErrorIs(t, err, postgres.ErrInUse)
			require.NotErrorIs(t, err, postgres.ErrMoves)
			require.ErrorContains(t, err, `"n5"`) // for people
			holds(t, s, *has)
		}
	}
}

func TestAnEmptyClusterKeepsItsNamePartitionsAndHashAndComparesEpochs(t *testing.T) {
	s := created(t)
	for _, epoch := range []uint64{1, 6, 7, 9, math.MaxInt64} {
		stale := next(t, s, other)
		stale.Epoch = epoch
		var e *postgres.EpochError
		require.ErrorAs(t, s.UpdateEmpty(t.Context(), stale), &e)
		require.Equal(t, postgres.EpochError{Cluster: "shop", Given: epoch, Has: 7}, *e)
	}
	for _, change := range []func(*topology.Topology){
		func(t *topology.Topology) { t.Cluster = "toys" },
		func(t *topology.Topology) { t.Partitions = 128 },
		func(t *topology.Topology) { t.Hash = ring.XXHash64 },
		func(t *topology.Topology) { t.Nodes = nil },
	} {
		require.ErrorIs(t, s.UpdateEmpty(t.Context(), next(t, s, change)), topology.ErrInvalid)
	}
	holds(t, s, sample())
	nothing, _ := newStore(t)
	require.ErrorIs(t, nothing.UpdateEmpty(t.Context(), sample()), postgres.ErrNotFound)
}

// readerOf returns a Store of the cluster of sample with a role that may read its tables and no more.
func readerOf(t *testing.T, pool *pgxpool.Pool) *postgres.Store {
	t.Helper()
	exec(t, pool, `DROP ROLE IF EXISTS topology_reader`)
	exec(t, pool, `CREATE ROLE topology_reader LOGIN`)
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP OWNED BY topology_reader; DROP ROLE topology_reader", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
	})
	exec(t, pool, `GRANT SELECT ON pairdb_clusters, pairdb_nodes, pairdb_schema TO topology_reader`)
	return storeOn(t, testservers.NewPool(t, pool.Config().ConnString(), func(c *pgxpool.Config) { c.ConnConfig.User = "topology_reader" }))
}
