package postgres_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
)

// migrateURL names the database that a child of the test migrates.
const migrateURL = "PAIRDB_TEST_MIGRATE_URL"

func TestEightProcessesMigrateAtOnce(t *testing.T) {
	if url := os.Getenv(migrateURL); url != "" {
		require.NoError(t, storeOn(t, testservers.NewPool(t, url)).Migrate(t.Context()))
		return
	}
	url := testservers.SharedPostgres(t)
	var wg sync.WaitGroup
	var errs [8]error
	var texts [8][]byte
	for i := range errs {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
			cmd.Env = append(os.Environ(), migrateURL+"="+url)
			texts[i], errs[i] = cmd.CombinedOutput()
		})
	}
	wg.Wait()
	for i := range errs {
		require.NoError(t, errs[i], string(texts[i]))
	}
	_, err := storeOn(t, testservers.NewPool(t, url)).Create(t.Context(), full())
	require.NoError(t, err)
}

func TestATableOfALaterVersionIsRefused(t *testing.T) {
	s, pool := newStore(t)
	run(t, pool, "UPDATE pairdb_schema SET version = 9")
	err := s.Migrate(t.Context())
	require.ErrorIs(t, err, postgres.ErrNewerSchema)
	require.True(t, strings.Contains(err.Error(), "9") && strings.Contains(err.Error(), "1"), err) // for people: both
}

func TestATableThatIsNotThereIsMigrateToCall(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	for _, opts := range [][]postgres.Option{nil, {postgres.Schema("nowhere")}} {
		s := storeOn(t, pool, opts...)
		_, err := s.Get(t.Context(), "acme")
		require.ErrorIs(t, err, postgres.ErrNoSchema)
		require.NotErrorIs(t, err, tenant.ErrNotFound)
		_, err = s.Create(t.Context(), full())
		require.ErrorIs(t, err, postgres.ErrNoSchema)
		_, err = s.List(t.Context(), "", 0)
		require.ErrorIs(t, err, postgres.ErrNoSchema)
		require.ErrorIs(t, s.Delete(t.Context(), "acme", 1), postgres.ErrNoSchema)
	}
}

func TestATableThatMigrateHasNotMadeIsNotTaken(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	run(t, pool, "CREATE TABLE pairdb_tenants (id text)")
	require.ErrorContains(t, storeOn(t, pool).Migrate(t.Context()), "choose another schema") // for people
}
