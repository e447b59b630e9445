package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
)

// patience bounds what a correct store does at once. No test is about time.
const patience = 30 * time.Second

// watch calls Watch until the test ends.
func watch(t *testing.T, s tenant.Watcher) (told <-chan string, ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ids, why := make(chan string, 1000), make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		why <- s.Watch(ctx, func(id string) { ids <- id })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return ids, why
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		require.Fail(t, "nothing comes")
		panic("not reached")
	}
}

func TestAChangeIsToldToOtherProcesses(t *testing.T) {
	s, pool := newStore(t)
	told, _ := watch(t, storeOn(t, testservers.NewPool(t, pool.Config().ConnString())))
	require.Equal(t, "", next(t, told))
	var took []time.Duration
	for i := range 50 {
		id := fmt.Sprintf("t%d", i)
		begin := time.Now()
		_, err := s.Create(t.Context(), tenant.Config{ID: id})
		require.NoError(t, err)
		require.Equal(t, id, next(t, told))
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	t.Logf("from the begin of Create to the notification in another pool: median %v, slowest of %d %v", took[len(took)/2], len(took), took[len(took)-1])
}

func TestWhatFailsIsNotTold(t *testing.T) {
	s, _ := newStore(t)
	told, _ := watch(t, s)
	require.Equal(t, "", next(t, told))
	kept, err := s.Create(t.Context(), full())
	require.NoError(t, err)
	require.ErrorIs(t, second(s.Create(t.Context(), full())), tenant.ErrExists)
	require.ErrorIs(t, s.Delete(t.Context(), "acme", 7), tenant.ErrVersion)
	_, err = s.Create(t.Context(), tenant.Config{ID: "zeta"})
	require.NoError(t, err)
	require.Equal(t, kept.ID, next(t, told))
	require.Equal(t, "zeta", next(t, told))
}

func TestWhatStrangersNotifyIsTakenForAll(t *testing.T) {
	s, pool := newStore(t)
	told, _ := watch(t, s)
	require.Equal(t, "", next(t, told))
	for _, payload := range []string{"a/b", "'; --", "\u202e"} {
		run(t, pool, "SELECT pg_notify('pairdb_tenants', $1::text)", payload)
		require.Equal(t, "", next(t, told))
	}
}

func TestAWatchThatIsKilledSaysSoAndTheNextBeginsWithAll(t *testing.T) {
	s, pool := newStore(t)
	told, ended := watch(t, s)
	require.Equal(t, "", next(t, told))
	run(t, pool, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'")
	err := next(t, ended)
	require.Error(t, err)
	t.Log(err)
	_, err = s.Create(t.Context(), full())
	require.NoError(t, err)
	told, _ = watch(t, s)
	require.Equal(t, "", next(t, told))
}

func TestWithoutNotifyNothingIsToldAndWatchWaits(t *testing.T) {
	s, pool := newStore(t, postgres.WithoutNotify())
	heard, _ := watch(t, storeOn(t, pool))
	require.Equal(t, "", next(t, heard))
	_, err := s.Create(t.Context(), tenant.Config{ID: "silent"})
	require.NoError(t, err)
	_, err = storeOn(t, pool).Create(t.Context(), tenant.Config{ID: "loud"})
	require.NoError(t, err)
	require.Equal(t, "loud", next(t, heard))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Watch(ctx, func(string) { t.Error("told") }), context.Canceled)
}

func TestAServerThatStopsIsAClearErrorUntilItIsBack(t *testing.T) {
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	s := storeOn(t, testservers.NewPool(t, url))
	require.NoError(t, s.Migrate(t.Context()))
	kept, err := s.Create(t.Context(), full())
	require.NoError(t, err)
	told, ended := watch(t, s)
	require.Equal(t, "", next(t, told))

	require.NoError(t, server.Stop())
	t.Logf("Watch: %v", next(t, ended))
	calls := map[string]func() error{
		"Get":     func() error { return second(s.Get(t.Context(), "acme")) },
		"Create":  func() error { return second(s.Create(t.Context(), tenant.Config{ID: "zeta"})) },
		"Update":  func() error { return second(s.Update(t.Context(), kept)) },
		"List":    func() error { return second(s.List(t.Context(), "", 0)) },
		"Delete":  func() error { return s.Delete(t.Context(), "acme", 1) },
		"Migrate": func() error { return s.Migrate(t.Context()) },
		"Watch":   func() error { return s.Watch(t.Context(), func(string) {}) },
	}
	_ = s.Migrate(t.Context()) // so that the pool has no connection left that it thinks is whole
	for name, call := range calls {
		err := call()
		require.Error(t, err)
		for _, known := range []error{tenant.ErrNotFound, tenant.ErrExists, tenant.ErrVersion, tenant.ErrInvalid, postgres.ErrNoSchema} {
			require.NotErrorIs(t, err, known, name)
		}
		t.Logf("%s: %v", name, err)
	}

	require.NoError(t, server.Start())
	require.Eventually(t, func() bool { return s.Migrate(t.Context()) == nil }, patience, 10*time.Millisecond)
	got, err := s.Get(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, kept, got)
	told, _ = watch(t, s)
	require.Equal(t, "", next(t, told))
}

func TestAPoolThatIsExhaustedIsTheContextsError(t *testing.T) {
	_, pool := newStore(t)
	small := testservers.NewPool(t, pool.Config().ConnString(), func(c *pgxpool.Config) { c.MaxConns = 1 })
	s := storeOn(t, small)
	held, err := small.Acquire(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	_, err = s.Get(ctx, "acme")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, tenant.ErrNotFound)

	// Watch takes none of the pool's.
	told, _ := watch(t, s)
	require.Equal(t, "", next(t, told))
	held.Release()
	_, err = s.Create(t.Context(), full())
	require.NoError(t, err)
	require.Equal(t, "acme", next(t, told))
	require.NoError(t, small.Ping(t.Context()))
}
