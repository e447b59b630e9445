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
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"
)

// patience bounds what a correct store does at once. No test is about time.
const patience = 30 * time.Second

// never is a polling interval that no test sees the end of.
const never = time.Hour

type answer struct {
	topology *topology.Topology
	err      error
}

// watch calls Watch until the test ends.
func watch(t *testing.T, s topology.Source, after uint64) <-chan answer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan answer, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		topo, err := s.Watch(ctx, after)
		got <- answer{topo, err}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return got
}

func soon(t *testing.T, from <-chan answer) answer {
	t.Helper()
	select {
	case a := <-from:
		return a
	case <-time.After(patience):
		require.Fail(t, "Watch does not answer")
		return answer{}
	}
}

const listening = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"

// listeners waits until the database has as many connections that listen, and perhaps the ones that the test knows.
func listeners(t *testing.T, pool *pgxpool.Pool, want int, not ...int32) (pids []int32) {
	t.Helper()
	require.Eventually(t, func() bool {
		rows, err := pool.Query(t.Context(), "SELECT pid "+listening+" AND NOT pid = ANY($1::integer[])", slices.Concat(not, []int32{0}))
		require.NoError(t, err)
		pids = nil
		for rows.Next() {
			var pid int32
			require.NoError(t, rows.Scan(&pid))
			pids = append(pids, pid)
		}
		require.NoError(t, rows.Err())
		return len(pids) == want
	}, patience, 5*time.Millisecond)
	return pids
}

// advance puts another address of n1 in force.
func advance(t *testing.T, s *postgres.Store) topology.Topology {
	t.Helper()
	to := next(t, s, func(t *topology.Topology) { t.Nodes[0].Addr = fmt.Sprintf("epoch-%d:1", t.Epoch) })
	require.NoError(t, s.Update(t.Context(), to))
	return to
}

func TestAChangeIsToldToOtherProcesses(t *testing.T) {
	s, pool := newStore(t)
	require.NoError(t, s.Create(t.Context(), sample()))
	other := storeOn(t, testservers.NewPool(t, pool.Config().ConnString()), postgres.PollEvery(never))
	var took []time.Duration
	for epoch := sample().Epoch; len(took) < 20; epoch++ {
		got := watch(t, other, epoch)
		listeners(t, pool, 1)
		begin := time.Now()
		want := advance(t, s)
		a := soon(t, got)
		took = append(took, time.Since(begin))
		require.NoError(t, a.err)
		require.True(t, want.Equal(a.topology))
	}
	slices.Sort(took)
	t.Logf("from the begin of the update to the answer of Watch in another pool: median %v, slowest of %d %v", took[len(took)/2], len(took), took[len(took)-1])
}

func TestWhoeverWaitsSharesOneConnectionAndItGoesWithTheLast(t *testing.T) {
	s, pool := newStore(t, postgres.PollEvery(never))
	require.NoError(t, s.Create(t.Context(), sample()))
	_, err := s.Watch(t.Context(), 0)
	require.NoError(t, err)
	require.False(t, s.Listening(), "an answer that is at hand needs no connection")
	var all []<-chan answer
	for range 10 {
		all = append(all, watch(t, s, sample().Epoch))
	}
	listeners(t, pool, 1)
	advance(t, s)
	for _, got := range all {
		require.NoError(t, soon(t, got).err)
	}
	require.False(t, s.Listening())
	listeners(t, pool, 0)
}

func TestAListenerThatIsKilledListensAgain(t *testing.T) {
	s, pool := newStore(t, postgres.PollEvery(never))
	require.NoError(t, s.Create(t.Context(), sample()))
	got := watch(t, s, sample().Epoch)
	first := listeners(t, pool, 1)
	exec(t, pool, "SELECT pg_terminate_backend(pid) "+listening)
	listeners(t, pool, 1, first...)
	want := advance(t, s)
	a := soon(t, got)
	require.NoError(t, a.err)
	require.True(t, want.Equal(a.topology))
}

func TestAChangeThatNobodyToldIsSeenByPolling(t *testing.T) {
	s, pool := newStore(t, postgres.PollEvery(20*time.Millisecond))
	require.NoError(t, s.Create(t.Context(), sample()))
	got := watch(t, s, sample().Epoch)
	listeners(t, pool, 1)
	silent := storeOn(t, pool, postgres.WithoutNotify())
	want := advance(t, silent)
	a := soon(t, got)
	require.NoError(t, a.err)
	require.True(t, want.Equal(a.topology))
}

func TestAClusterThatIsNotThereYetIsATemporaryError(t *testing.T) {
	s, _ := newStore(t)
	_, err := s.Watch(t.Context(), 0)
	require.ErrorIs(t, err, postgres.ErrNotFound)
	require.NotErrorIs(t, err, topology.ErrInvalid)
	require.NoError(t, s.Create(t.Context(), sample()))
	_, err = s.Watch(t.Context(), 0)
	require.NoError(t, err)
}

func TestAnEarlierTopologyThatComesBackIsRefusedAndTheKnownOneStays(t *testing.T) {
	s := created(t)
	known, err := s.Watch(t.Context(), 0)
	require.NoError(t, err)
	earlier, other := sample(), sample()
	earlier.Epoch--
	other.Nodes = other.Nodes[:3]
	for _, back := range []topology.Topology{earlier, other} {
		require.NoError(t, s.Force(t.Context(), back))
		require.ErrorIs(t, soon(t, watch(t, s, known.Epoch)).err, topology.ErrInvalid)
		again, err := s.Watch(t.Context(), 0)
		require.NoError(t, err)
		require.Same(t, known, again)
	}
}

func TestCloseEndsWhatWaitsAndLeavesThePoolOpen(t *testing.T) {
	s, pool := newStore(t, postgres.PollEvery(never))
	require.NoError(t, s.Create(t.Context(), sample()))
	got := watch(t, s, sample().Epoch)
	listeners(t, pool, 1)
	s.Close()
	require.ErrorIs(t, soon(t, got).err, postgres.ErrClosed)
	listeners(t, pool, 0)
	_, err := s.Watch(t.Context(), sample().Epoch)
	require.ErrorIs(t, err, postgres.ErrClosed)
	s.Close()
	require.NoError(t, pool.Ping(t.Context()))
	_, err = s.Current(t.Context())
	require.NoError(t, err)
}

func TestADatabaseThatStopsIsAnErrorForWhoWaitsAndTheTopologyStays(t *testing.T) {
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	pool := testservers.NewPool(t, url)
	s := storeOn(t, pool, postgres.PollEvery(never))
	require.NoError(t, s.Migrate(t.Context()))
	require.NoError(t, s.Create(t.Context(), sample()))
	got := watch(t, s, sample().Epoch)
	listeners(t, pool, 1)

	require.NoError(t, server.Stop())
	a := soon(t, got)
	require.Error(t, a.err)
	t.Logf("Watch: %v", a.err)
	known, err := s.Watch(t.Context(), 0)
	require.NoError(t, err)
	require.True(t, known.Equal(ptr(sample())))
	_, err = s.Watch(t.Context(), sample().Epoch)
	require.ErrorContains(t, err, "the server cannot be reached") // for people
	t.Logf("Watch: %v", err)
	t.Logf("RecordStore: %v", s.RecordStore(t.Context(), "n1", 1))
	fresh := storeOn(t, pool)
	_, err = fresh.Watch(t.Context(), 0)
	require.Error(t, err)

	require.NoError(t, server.Start())
	got = watch(t, s, sample().Epoch)
	listeners(t, pool, 1)
	want := advance(t, fresh)
	a = soon(t, got)
	require.NoError(t, a.err)
	require.True(t, want.Equal(a.topology))
}

func ptr[T any](v T) *T { return &v }
