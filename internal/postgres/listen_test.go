package postgres

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
)

// patience bounds what a correct listener does at once. No test is about time.
const patience = 30 * time.Second

// heard is what one call of listen hears.
type heard struct {
	listening, payloads chan string
	ended               chan error
}

// hear listens until the test ends.
func hear(t *testing.T, pool *pgxpool.Pool, channel string, every, limit time.Duration) heard {
	t.Helper()
	h := heard{make(chan string, 10), make(chan string, 10), make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ended <- listen(ctx, pool, channel, every, limit, func() { h.listening <- "" }, func(p string) { h.payloads <- p })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return h
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

func TestAListenerHearsWhatIsToldOnItsChannelAlone(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t), func(c *pgxpool.Config) {
		c.MaxConns = 1 // which is not the listener's
		c.ConnConfig.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	})
	const channel = `odd "channel'; --`
	h := hear(t, pool, channel, pingEvery, limit)
	next(t, h.listening)
	exec(t, pool, "SELECT pg_notify('another', 'x')")
	exec(t, pool, "SELECT pg_notify($1::text, 'y')", channel)
	require.Equal(t, "y", next(t, h.payloads))
}

func TestAListenerConnectsAsThePoolDoes(t *testing.T) {
	url := testservers.SharedPostgres(t)
	pool := testservers.NewPool(t, url, func(c *pgxpool.Config) {
		c.ConnConfig.User = "nobody"
		c.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
			c.User = "postgres" // as a token that is fetched for each connection
			return nil
		}
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SELECT pg_notify('connected', '')")
			return err
		}
	})
	h := hear(t, pool, "a", pingEvery, limit)
	next(t, h.listening)

	trouble := errors.New("trouble")
	for name, change := range map[string]func(*pgxpool.Config){
		"before": func(c *pgxpool.Config) {
			c.BeforeConnect = func(context.Context, *pgx.ConnConfig) error { return trouble }
		},
		"after": func(c *pgxpool.Config) {
			c.AfterConnect = func(context.Context, *pgx.Conn) error { return trouble }
		},
	} {
		h := hear(t, testservers.NewPool(t, url, change), "a", pingEvery, limit)
		require.ErrorIs(t, next(t, h.ended), trouble, name)
		require.Empty(t, h.listening)
	}
}

func TestAListenerEndsWithItsContext(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	ctx, cancel := context.WithCancel(t.Context())
	err := Listen(ctx, pool, "a", cancel, func(string) {})
	require.ErrorIs(t, err, context.Canceled)
	err = Listen(ctx, pool, "a", func() { t.Error("listening") }, func(string) {})
	require.ErrorIs(t, err, context.Canceled)
}

func TestAListenerThatIsKilledSaysWhy(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	h := hear(t, pool, "a", pingEvery, limit)
	next(t, h.listening)
	exec(t, pool, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'")
	var pg *pgconn.PgError
	require.ErrorAs(t, next(t, h.ended), &pg)
	require.Equal(t, codeShutdown, pg.Code)
}

func TestAListenerHearsAlsoAfterItHasAskedWhetherTheServerIsThere(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	h := hear(t, pool, "a", time.Millisecond, limit)
	next(t, h.listening)
	asked := func() bool {
		var n int
		err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND pid <> pg_backend_pid() AND query LIKE '%ping%'`).Scan(&n)
		require.NoError(t, err)
		return n > 0
	}
	require.Eventually(t, asked, patience, time.Millisecond)
	exec(t, pool, "SELECT pg_notify('a', 'x')")
	require.Equal(t, "x", next(t, h.payloads))
}

func TestAServerThatDoesNotAnswerAnyMoreIsNoticedAndNothingIsLeftOfTheListener(t *testing.T) {
	server := testservers.NewPostgres(t)
	var dials atomic.Int32
	pool := testservers.NewPool(t, server.URL("postgres"), func(c *pgxpool.Config) {
		dial := c.ConnConfig.DialFunc
		c.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return dial(ctx, network, addr)
		}
	})
	h := hear(t, pool, "a", time.Second, 500*time.Millisecond)
	next(t, h.listening)
	require.NoError(t, server.Freeze())
	t.Cleanup(func() { require.NoError(t, server.Thaw()) })
	err := next(t, h.ended)
	require.Error(t, err)
	require.NotErrorIs(t, err, context.Canceled)
	t.Log(err)
	require.EqualValues(t, 1, dials.Load(), "to cancel what was asked would be a second one")
	stacks := make([]byte, 1<<20)
	nothingLeft := func() bool { // a goroutine that has done its work may yet be there for a moment
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "asyncClose")
	}
	require.Eventually(t, nothingLeft, time.Second, time.Millisecond)

	h = hear(t, pool, "a", time.Second, 100*time.Millisecond)
	require.Error(t, next(t, h.ended), "a server that takes connections and says nothing")
}
