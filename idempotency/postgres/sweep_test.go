package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/postgres"

	"github.com/devrev/pairdb/internal/testservers"
)

//pairdb:needs postgres

// patience bounds what happens at once. It is less than a sweep takes that nobody ends.
const patience = 20 * time.Second

// fill adds expired and living records without asking a Store.
func fill(t *testing.T, pool *pgxpool.Pool, expired, living int) {
	t.Helper()
	const insert = `INSERT INTO pairdb_idempotency SELECT 'shop', 'acme', 'k', convert_to($1 || n::text, 'UTF8'), $2,
		now() + $3::bigint * interval '1 second' * (1 + n % 7) FROM generate_series(1, $4::bigint) AS n`
	record := idempotency.AppendRecord(nil, idempotency.Record{Intent: put(1, "a")})
	exec(t, pool, insert, "expired", record, -1, expired)
	exec(t, pool, insert, "living", record, 3600, living)
}

func count(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM pairdb_idempotency").Scan(&n))
	return n
}

func TestASweepRemovesAllThatExpiredAndNothingElse(t *testing.T) {
	s, pool := newStore(t, postgres.SweepEvery(0))
	fill(t, pool, 1234, 567)
	n, err := s.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1234, n)
	require.Equal(t, 567, count(t, pool))
	n, err = s.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}

func TestManyMaySweepAtOnce(t *testing.T) {
	a, pool := newStore(t, postgres.SweepEvery(0))
	b := storeOn(t, testservers.NewPool(t, pool.Config().ConnString()))
	fill(t, pool, 3000, 10)
	var removed [4]int
	var errs [4]error
	var wg sync.WaitGroup
	for i := range removed {
		wg.Go(func() { removed[i], errs[i] = []*postgres.Store{a, b}[i%2].Sweep(t.Context()) })
	}
	wg.Wait()
	total := 0
	for i := range removed {
		require.NoError(t, errs[i])
		total += removed[i]
	}
	left, err := a.Sweep(t.Context()) // what all passed over, each for another's sake
	require.NoError(t, err)
	require.Equal(t, 3000, total+left)
	require.Equal(t, 10, count(t, pool))
}

func TestASweepDoesNotWaitForARowThatIsBeingWritten(t *testing.T) {
	s, pool := newStore(t, postgres.SweepEvery(0))
	fill(t, pool, 3, 0)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), "UPDATE pairdb_idempotency SET expires = now() + interval '1 hour' WHERE token = 'expired2'::bytea")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n, err := s.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.NoError(t, tx.Commit(t.Context()))
	n, err = s.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, n, "it was renewed")
}

func TestAStoreThatIsWrittenToSweepsByItself(t *testing.T) {
	s, pool := newStore(t)
	fill(t, pool, 1234, 5)
	_, _, err := s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
	require.NoError(t, err)
	s.WaitForSweep()
	require.Equal(t, 6, count(t, pool))
}

func TestAStoreDoesNotSweepByItselfMoreOftenThanItMay(t *testing.T) {
	s, pool := newStore(t, postgres.SweepEvery(time.Hour))
	for n := range 3 {
		_, _, err := s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
		require.NoError(t, err)
		s.WaitForSweep()
		fill(t, pool, 10, 0)
		exec(t, pool, "UPDATE pairdb_idempotency SET token = token || $1 WHERE expires <= now()", []byte{byte(n)})
	}
	require.Equal(t, 33, count(t, pool))
}

func TestAStoreThatMayNotSweepDoesNot(t *testing.T) {
	s, pool := newStore(t, postgres.SweepEvery(0))
	fill(t, pool, 10, 0)
	_, _, err := s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
	require.NoError(t, err)
	s.WaitForSweep()
	require.Equal(t, 11, count(t, pool))
}

func TestCloseEndsASweepAndTheStoreGoesOnWithoutSweeping(t *testing.T) {
	s, pool := newStore(t, postgres.SweepEvery(time.Nanosecond))
	exec(t, pool, `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(3600); RETURN NULL; END'`)
	exec(t, pool, "CREATE TRIGGER slow BEFORE DELETE ON pairdb_idempotency EXECUTE FUNCTION slow()")
	fill(t, pool, 10, 0)
	_, _, err := s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return sleepers(t, pool) == 1 }, patience, 10*time.Millisecond)

	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.Close()
		s.Close()
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		require.Fail(t, "Close has not ended the sweep")
	}
	_, _, err = s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
	require.NoError(t, err)
	require.Equal(t, 12, count(t, pool))
	require.Eventually(t, func() bool { return sleepers(t, pool) == 0 }, patience, 10*time.Millisecond,
		"the server was told to stop")
}

// sleepers counts the statements that wait in the trigger of this test.
func sleepers(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(),
		"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'").Scan(&n))
	return n
}

func TestASweepInTheBackgroundThatFailsIsLogged(t *testing.T) {
	var log lockedBuffer
	s, pool := newStore(t, postgres.SweepEvery(time.Nanosecond), postgres.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	exec(t, pool, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END'`)
	exec(t, pool, "CREATE TRIGGER refuse BEFORE DELETE ON pairdb_idempotency EXECUTE FUNCTION refuse()")
	_, _, err := s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "not here") }, patience, 10*time.Millisecond)
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
