package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
)

// unchecked drops what keeps nonsense out of the table.
const unchecked = `ALTER TABLE pairdb_tenants DROP CONSTRAINT pairdb_tenants_id_check,
	DROP CONSTRAINT pairdb_tenants_replicas_check, DROP CONSTRAINT pairdb_tenants_read_level_check,
	DROP CONSTRAINT pairdb_tenants_write_level_check, DROP CONSTRAINT pairdb_tenants_policy_check,
	DROP CONSTRAINT pairdb_tenants_max_value_bytes_check, DROP CONSTRAINT pairdb_tenants_version_check,
	DROP CONSTRAINT pairdb_tenants_check, ALTER replicas DROP NOT NULL, ALTER read_level DROP NOT NULL,
	ALTER policy DROP NOT NULL, ALTER version DROP NOT NULL, ALTER created DROP NOT NULL;`

func TestARowThatSomebodySpoiltIsRefusedByRowAndColumn(t *testing.T) {
	url := testservers.SharedPostgres(t)
	for spoil, column := range map[string]string{
		"UPDATE pairdb_tenants SET replicas = 99":                                                          "Replicas",
		"UPDATE pairdb_tenants SET replicas = NULL":                                                        "replicas",
		"UPDATE pairdb_tenants SET replicas = 2":                                                           "Write",
		"ALTER TABLE pairdb_tenants ALTER replicas TYPE text; UPDATE pairdb_tenants SET replicas = '3'":    "replicas",
		"ALTER TABLE pairdb_tenants ALTER replicas TYPE numeric; UPDATE pairdb_tenants SET replicas = 3.5": "replicas",
		"UPDATE pairdb_tenants SET read_level = 'most'":                                                    "read_level",
		"UPDATE pairdb_tenants SET read_level = ''":                                                        "read_level",
		"UPDATE pairdb_tenants SET read_level = NULL":                                                      "read_level",
		"UPDATE pairdb_tenants SET write_level = repeat('x', 1000000)":                                     "write_level",
		"ALTER TABLE pairdb_tenants ALTER read_level TYPE integer USING 1":                                 "read_level",
		"ALTER TABLE pairdb_tenants ALTER read_level TYPE text[] USING '{one}'::text[]":                    "read_level",
		"UPDATE pairdb_tenants SET policy = 'Causal'":                                                      "policy",
		"UPDATE pairdb_tenants SET policy = NULL":                                                          "policy",
		"UPDATE pairdb_tenants SET max_value_bytes = -1":                                                   "MaxValueBytes",
		"UPDATE pairdb_tenants SET max_value_bytes = 9223372036854775807":                                  "MaxValueBytes",
		"UPDATE pairdb_tenants SET version = 0":                                                            "version",
		"UPDATE pairdb_tenants SET version = NULL":                                                         "version",
		"ALTER TABLE pairdb_tenants ALTER version TYPE text":                                               "version",
		"UPDATE pairdb_tenants SET created = 'infinity'":                                                   "created",
		"UPDATE pairdb_tenants SET created = NULL":                                                         "created",
		"UPDATE pairdb_tenants SET updated = '0044-03-15 BC'":                                              "updated",
		"ALTER TABLE pairdb_tenants ALTER created TYPE text":                                               "created",
	} {
		t.Run(spoil, func(t *testing.T) {
			s, pool, kept := spoilt(t, url)
			run(t, pool, unchecked+spoil, pgx.QueryExecModeSimpleProtocol)
			_, err := s.Get(t.Context(), "acme")
			require.ErrorIs(t, err, postgres.ErrDamaged)
			require.NotErrorIs(t, err, tenant.ErrNotFound)
			require.ErrorContains(t, err, `"acme"`) // for people: which row
			require.ErrorContains(t, err, column)   // for people: which column
			require.Less(t, len(err.Error()), 1000)
			_, err = s.List(t.Context(), "", 0)
			require.ErrorIs(t, err, postgres.ErrDamaged)
			require.ErrorContains(t, err, `"acme"`) // for people
			_, err = s.Update(t.Context(), kept)
			if err != nil { // else the row was mended by it
				require.NotErrorIs(t, err, tenant.ErrNotFound)
			}
		})
	}
}

func spoilt(t *testing.T, url string) (*postgres.Store, *pgxpool.Pool, tenant.Config) {
	t.Helper()
	pool := testservers.NewPool(t, url, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["search_path"] = "spoilt" })
	run(t, pool, "DROP SCHEMA IF EXISTS spoilt CASCADE")
	s := storeOn(t, pool, postgres.Schema("spoilt"))
	require.NoError(t, s.Migrate(t.Context()))
	kept, err := s.Create(t.Context(), full())
	require.NoError(t, err)
	return s, pool, kept
}

func TestATableWithOtherColumnsIsRefused(t *testing.T) {
	url := testservers.SharedPostgres(t)
	for _, spoil := range []string{
		"ALTER TABLE pairdb_tenants ALTER id TYPE integer USING 1",
		"ALTER TABLE pairdb_tenants ALTER id TYPE bytea USING id::bytea",
		"ALTER TABLE pairdb_tenants DROP policy",
		"ALTER TABLE pairdb_tenants DROP deleted",
	} {
		t.Run(spoil, func(t *testing.T) {
			s, pool, kept := spoilt(t, url)
			run(t, pool, unchecked+spoil, pgx.QueryExecModeSimpleProtocol)
			for _, err := range []error{
				second(s.Get(t.Context(), "acme")), second(s.Update(t.Context(), kept)), s.Delete(t.Context(), "acme", 1),
			} {
				require.ErrorIs(t, err, postgres.ErrDamaged)
			}
		})
	}
}

func TestAForeignIDIsRefusedAndNotPassedOver(t *testing.T) {
	s, pool, _ := spoilt(t, testservers.SharedPostgres(t))
	run(t, pool, unchecked+`INSERT INTO pairdb_tenants SELECT repeat('x', 1000) || E'\n\u202e', replicas, read_level, write_level,
		policy, max_value_bytes, version, created, updated FROM pairdb_tenants`, pgx.QueryExecModeSimpleProtocol)
	_, err := s.List(t.Context(), "", 0)
	require.ErrorIs(t, err, postgres.ErrDamaged)
	require.Less(t, len(err.Error()), 1000)
	_, err = s.Get(t.Context(), "acme")
	require.NoError(t, err)
}

func TestARoleThatOnlyReadsIsToldWhatItMayNot(t *testing.T) {
	s, pool := newStore(t)
	_, err := s.Create(t.Context(), full())
	require.NoError(t, err)
	run(t, pool, "CREATE ROLE tenants_reader LOGIN; GRANT SELECT ON pairdb_tenants, pairdb_schema TO tenants_reader", pgx.QueryExecModeSimpleProtocol)
	t.Cleanup(func() {
		_, err := pool.Exec(context.Background(), "DROP OWNED BY tenants_reader; DROP ROLE tenants_reader", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
	})
	for code, change := range map[string]func(*pgxpool.Config){
		"42501": func(c *pgxpool.Config) { c.ConnConfig.User = "tenants_reader" },
		"25006": func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on" },
	} {
		reader := storeOn(t, testservers.NewPool(t, pool.Config().ConnString(), change))
		require.NoError(t, reader.Migrate(t.Context()))
		kept, err := reader.Get(t.Context(), "acme")
		require.NoError(t, err)
		for _, err := range []error{
			second(reader.Create(t.Context(), tenant.Config{ID: "zeta"})), second(reader.Update(t.Context(), kept)), reader.Delete(t.Context(), "acme", 1),
		} {
			var pg *pgconn.PgError
			require.ErrorAs(t, err, &pg)
			require.Equal(t, code, pg.Code)
			t.Log(err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
