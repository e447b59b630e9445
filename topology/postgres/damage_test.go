package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"
)

// unchecked drops what keeps nonsense out of the tables.
const unchecked = `ALTER TABLE pairdb_clusters DROP CONSTRAINT pairdb_clusters_epoch_check,
	DROP CONSTRAINT pairdb_clusters_partitions_check, DROP CONSTRAINT pairdb_clusters_hash_check,
	ALTER epoch DROP NOT NULL, ALTER partitions DROP NOT NULL, ALTER hash DROP NOT NULL;
ALTER TABLE pairdb_nodes DROP CONSTRAINT pairdb_nodes_id_check, DROP CONSTRAINT pairdb_nodes_weight_check,
	DROP CONSTRAINT pairdb_nodes_state_check, DROP CONSTRAINT pairdb_nodes_store_id_check, ALTER addr DROP NOT NULL,
	ALTER zone DROP NOT NULL, ALTER weight DROP NOT NULL, ALTER state DROP NOT NULL;`

func TestARowThatSomebodySpoiltIsRefusedByRowAndColumn(t *testing.T) {
	url := testservers.SharedPostgres(t)
	for spoil, wants := range map[string][]string{
		"UPDATE pairdb_clusters SET epoch = NULL":                                                                             {"pairdb_clusters", `"shop"`, "epoch"},
		"UPDATE pairdb_clusters SET epoch = -1":                                                                               {"pairdb_clusters", "epoch"},
		"UPDATE pairdb_clusters SET partitions = 0":                                                                           {"partitions"},
		"UPDATE pairdb_clusters SET partitions = 65":                                                                          {"Partitions"},
		"UPDATE pairdb_clusters SET hash = 'md5'":                                                                             {"hash", `"md5"`},
		"ALTER TABLE pairdb_clusters ALTER hash TYPE bytea USING hash::bytea":                                                 {"hash"},
		"ALTER TABLE pairdb_clusters ALTER epoch TYPE text":                                                                   {"epoch"},
		"UPDATE pairdb_nodes SET weight = 0 WHERE id = 'n2'":                                                                  {"pairdb_nodes", `"n2"`, "weight"},
		"UPDATE pairdb_nodes SET weight = 'NaN' WHERE id = 'n2'":                                                              {`"n2"`, "Weight"},
		"UPDATE pairdb_nodes SET weight = NULL WHERE id = 'n2'":                                                               {`"n2"`, "weight", "NULL"},
		"ALTER TABLE pairdb_nodes ALTER weight TYPE numeric":                                                                  {`"n1"`, "weight"},
		"UPDATE pairdb_nodes SET state = 'gone' WHERE id = 'n3'":                                                              {`"n3"`, "state"},
		"UPDATE pairdb_nodes SET addr = NULL WHERE id = 'n3'":                                                                 {`"n3"`, "addr"},
		"UPDATE pairdb_nodes SET addr = repeat('x', 1000000) WHERE id = 'n3'":                                                 {`"n3"`, "Addr"},
		"UPDATE pairdb_nodes SET state = repeat('x', 1000000) WHERE id = 'n3'":                                                {`"n3"`, "state"},
		"UPDATE pairdb_nodes SET zone = E'a\\u202eb' WHERE id = 'n3'":                                                         {`"n3"`, "Zone"},
		"UPDATE pairdb_nodes SET id = E'x\\ny' WHERE id = 'n3'":                                                               {"ID"},
		"UPDATE pairdb_nodes SET store_id = 'cafe' WHERE id = 'n3'":                                                           {`"n3"`, "store_id"},
		"UPDATE pairdb_nodes SET store_id = repeat('0', 16) WHERE id = 'n3'":                                                  {`"n3"`, "store_id"},
		"UPDATE pairdb_nodes SET store_id = repeat('1', 16) WHERE id <> 'n3'":                                                 {"pairdb_nodes", "StoreID"},
		"ALTER TABLE pairdb_nodes ALTER store_id TYPE bytea USING store_id::bytea; UPDATE pairdb_nodes SET store_id = 'x'":    {"store_id"},
		"UPDATE pairdb_nodes SET addr = 'same:1'":                                                                             {"Addr"},
		"DELETE FROM pairdb_nodes":                                                                                            {"Nodes"},
		"ALTER TABLE pairdb_nodes DROP zone":                                                                                  {"zone"},
		"INSERT INTO pairdb_nodes SELECT 'shop', 'm'||i, 'm'||i||':1', '', 1, 'active', NULL FROM generate_series(1, 5000) i": {"4096"},
	} {
		t.Run(spoil, func(t *testing.T) {
			pool := testservers.NewPool(t, url, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["search_path"] = "spoilt" })
			exec(t, pool, "DROP SCHEMA IF EXISTS spoilt CASCADE")
			s := storeOn(t, pool, postgres.Schema("spoilt"))
			require.NoError(t, s.Migrate(t.Context()))
			require.NoError(t, s.Create(t.Context(), sample()))
			exec(t, pool, unchecked+spoil, pgx.QueryExecModeSimpleProtocol)
			_, err := s.Watch(t.Context(), 0)
			require.ErrorIs(t, err, topology.ErrInvalid)
			for _, want := range wants {
				require.ErrorContains(t, err, want) // for people
			}
			require.Less(t, len(err.Error()), 1000)
			_, err = s.Current(t.Context())
			require.ErrorIs(t, err, topology.ErrInvalid)
			require.ErrorIs(t, s.RecordStore(t.Context(), "n1", 1), topology.ErrInvalid)
			err = s.Update(t.Context(), sample())
			require.Error(t, err)
		})
	}
}

func TestTablesThatAreNotThereAreMigrateToCall(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	for _, opts := range [][]postgres.Option{nil, {postgres.Schema("nowhere")}} {
		s := storeOn(t, pool, opts...)
		_, err := s.Watch(t.Context(), 0)
		require.ErrorIs(t, err, postgres.ErrNoSchema)
		require.NotErrorIs(t, err, topology.ErrInvalid)
		require.ErrorIs(t, s.Create(t.Context(), sample()), postgres.ErrNoSchema)
		require.ErrorIs(t, s.RecordStore(t.Context(), "n1", 1), postgres.ErrNoSchema)
	}
}

func TestARoleThatOnlyReadsWatchesAndIsToldWhatItMayNot(t *testing.T) {
	s, pool := newStore(t)
	require.NoError(t, s.Create(t.Context(), sample()))
	reader := readerOf(t, pool)
	require.NoError(t, reader.Migrate(t.Context()))
	got := watch(t, reader, sample().Epoch)
	advance(t, s)
	require.NoError(t, soon(t, got).err)
	err := reader.RecordStore(t.Context(), "n1", 1)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	require.Equal(t, "42501", pg.Code)
	require.ErrorContains(t, err, "grant")
}

func TestAPoolThatIsExhaustedIsTheContextsError(t *testing.T) {
	s, pool := newStore(t)
	require.NoError(t, s.Create(t.Context(), sample()))
	small := testservers.NewPool(t, pool.Config().ConnString(), func(c *pgxpool.Config) { c.MaxConns = 1 })
	s = storeOn(t, small)
	held, err := small.Acquire(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	_, err = s.Watch(ctx, 0)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, s.RecordStore(ctx, "n1", 1), context.DeadlineExceeded)
	held.Release()

	// One connection is enough for any number that wait, besides the one that listens.
	got := []<-chan answer{watch(t, s, sample().Epoch), watch(t, s, sample().Epoch)}
	advance(t, s)
	for _, g := range got {
		require.NoError(t, soon(t, g).err)
	}
}

func TestItWorksInEveryModeOfTheDriver(t *testing.T) {
	url := testservers.SharedPostgres(t)
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			pool := testservers.NewPool(t, url, func(c *pgxpool.Config) {
				c.ConnConfig.DefaultQueryExecMode = mode
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
			})
			s := storeOn(t, pool, postgres.Schema(`odd "schema' `+mode.String()))
			require.NoError(t, s.Migrate(t.Context()))
			require.NoError(t, s.Create(t.Context(), sample()))
			holds(t, s, sample())
			require.NoError(t, s.RecordStore(t.Context(), "n1", 1))
			want := advance(t, s)
			got, err := s.Watch(t.Context(), want.Epoch-1)
			require.NoError(t, err)
			require.True(t, want.Equal(got))
			_, err = s.Watch(ended(t), 0)
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestBadArgumentsAreRefusedByName(t *testing.T) {
	pool := testservers.NewPool(t, "postgres://127.0.0.1:1/nowhere")
	for _, cluster := range []string{"", "a/b", strings.Repeat("x", 1<<20), "'; DROP TABLE pairdb_clusters; --", "a\x00"} {
		_, err := postgres.New(pool, cluster)
		require.ErrorIs(t, err, topology.ErrInvalid)
		require.Less(t, len(err.Error()), 1000)
	}
	for name, opt := range map[string]postgres.Option{"Schema": postgres.Schema(""), "PollEvery": postgres.PollEvery(-1)} {
		_, err := postgres.New(pool, "shop", opt)
		require.ErrorIs(t, err, postgres.ErrOption)
		require.ErrorContains(t, err, name)
	}
	_, err := postgres.New(nil, "shop")
	require.ErrorIs(t, err, postgres.ErrOption)
	_, err = postgres.New(pool, "shop", postgres.Option{})
	require.NoError(t, err)
}
