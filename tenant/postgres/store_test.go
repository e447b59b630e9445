package postgres_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
	"github.com/devrev/pairdb/tenant/tenanttest"
	"github.com/devrev/pairdb/vclock"
)

func TestItKeepsTheContractOfAStore(t *testing.T) {
	url := testservers.SharedPostgres(t)
	schemas := map[tenant.Store]postgres.Option{}
	tenanttest.Run(t, func(t *testing.T) tenant.Store {
		schema := postgres.Schema(fmt.Sprintf("s%d", len(schemas)))
		s := storeOn(t, testservers.NewPool(t, url), schema)
		require.NoError(t, s.Migrate(t.Context()))
		schemas[s] = schema
		return s
	}, tenanttest.AnotherHandle(func(t *testing.T, s tenant.Store) tenant.Store {
		return storeOn(t, testservers.NewPool(t, url), schemas[s]) // as another process would have it
	}))
}

func TestItKeepsTheContractWithoutBeingTold(t *testing.T) {
	url := testservers.SharedPostgres(t)
	made := 0
	tenanttest.Run(t, func(t *testing.T) tenant.Store {
		made++
		s := storeOn(t, testservers.NewPool(t, url), postgres.Schema(fmt.Sprintf("s%d", made)), postgres.WithoutNotify())
		require.NoError(t, s.Migrate(t.Context()))
		return struct{ tenant.Store }{s} // not a Watcher
	})
}

// full uses every field.
func full() tenant.Config {
	return tenant.Config{
		ID: "acme", Replicas: 5, Read: quorum.One, Write: quorum.Three, Policy: vclock.LastWriteWins,
		Limits: tenant.Limits{MaxValueBytes: tenant.MaxValueBytes},
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
				c.ConnConfig.RuntimeParams["DateStyle"] = "ISO, DMY"
				c.ConnConfig.RuntimeParams["TimeZone"] = "Asia/Kathmandu"
			})
			s := storeOn(t, pool, postgres.Schema(`odd "schema' `+mode.String()))
			require.NoError(t, s.Migrate(t.Context()))
			kept, err := s.Create(t.Context(), full())
			require.NoError(t, err)
			want := full()
			want.Version, want.Created, want.Updated = 1, kept.Created, kept.Created
			require.Equal(t, want, kept)
			got, err := s.Get(t.Context(), "acme")
			require.NoError(t, err)
			require.Equal(t, want, got)
			want.Read, want.Version = quorum.All, 2
			want.Limits = tenant.Limits{}
			kept.Read, kept.Limits = want.Read, want.Limits
			kept, err = s.Update(t.Context(), kept)
			require.NoError(t, err)
			want.Updated = kept.Updated
			require.Equal(t, want, kept)
			list, err := s.List(t.Context(), "", 0)
			require.NoError(t, err)
			require.Equal(t, []tenant.Config{want}, list)
			require.NoError(t, s.Delete(t.Context(), "acme", 2))
		})
	}
}

func TestUpdatesLoseNothingWhateverTheConnectionsIsolation(t *testing.T) {
	for _, level := range []string{"read committed", "repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			pool := testservers.NewPool(t, testservers.SharedPostgres(t), func(c *pgxpool.Config) {
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = level
			})
			s := storeOn(t, pool)
			require.NoError(t, s.Migrate(t.Context()))
			_, err := s.Create(t.Context(), tenant.Config{ID: "acme"})
			require.NoError(t, err)
			const writers, updates = 4, 8
			var wg sync.WaitGroup
			errs := make([]error, writers)
			for i := range writers {
				wg.Go(func() { errs[i] = increment(t.Context(), s, updates) })
			}
			wg.Wait()
			for _, err := range errs {
				require.NoError(t, err)
			}
			got, err := s.Get(t.Context(), "acme")
			require.NoError(t, err)
			require.Equal(t, writers*updates, got.Limits.MaxValueBytes)
			require.EqualValues(t, 1+writers*updates, got.Version)
		})
	}
}

// increment raises a limit by one, times times; it begins anew where another was faster.
func increment(ctx context.Context, s tenant.Store, times int) error {
	for done := 0; done < times; {
		c, err := s.Get(ctx, "acme")
		if err != nil {
			return err
		}
		c.Limits.MaxValueBytes++
		switch _, err := s.Update(ctx, c); {
		case err == nil:
			done++
		case !isVersion(err):
			return err
		}
	}
	return nil
}

func TestAVersionThatNoRowCanHaveIsAConflict(t *testing.T) {
	s, _ := newStore(t)
	kept, err := s.Create(t.Context(), full())
	require.NoError(t, err)
	kept.Version = math.MaxUint64
	_, err = s.Update(t.Context(), kept)
	require.ErrorIs(t, err, tenant.ErrVersion)
	require.ErrorIs(t, s.Delete(t.Context(), kept.ID, math.MaxUint64), tenant.ErrVersion)
}

func TestTwoSchemasAreTwoStores(t *testing.T) {
	s, pool := newStore(t)
	other := storeOn(t, pool, postgres.Schema(`"; DROP TABLE pairdb_tenants; --`))
	require.NoError(t, other.Migrate(t.Context()))
	_, err := s.Create(t.Context(), full())
	require.NoError(t, err)
	_, err = other.Get(t.Context(), "acme")
	require.ErrorIs(t, err, tenant.ErrNotFound)
	_, err = other.Create(t.Context(), full())
	require.NoError(t, err)
}

func TestBadOptionsAreRefusedByName(t *testing.T) {
	pool := testservers.NewPool(t, "postgres://127.0.0.1:1/nowhere")
	for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 64), strings.Repeat("x", 1<<20)} {
		_, err := postgres.New(pool, postgres.Schema(name))
		require.ErrorIs(t, err, postgres.ErrOption)
		require.ErrorContains(t, err, "Schema")
		require.Less(t, len(err.Error()), 1000)
	}
	_, err := postgres.New(nil)
	require.ErrorIs(t, err, postgres.ErrOption)
	_, err = postgres.New(pool, postgres.Option{})
	require.NoError(t, err)
}
