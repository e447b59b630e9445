package postgres

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/devrev/pairdb/internal/postgres"
)

const (
	// sweepStep bounds the rows that one statement removes, so that it holds its locks,
	// and the server's attention, for some milliseconds at a time.
	sweepStep = 500
	// sweepLimit bounds one sweep in the background. What it leaves the next one removes.
	sweepLimit = 30 * time.Second
)

// Sweep removes all records that have expired, in small steps, each a transaction of its own,
// and returns how many. Any number of processes may sweep at once. It is for a cron
// job where stores do not sweep by themselves (SweepEvery(0)); nothing but space
// depends on it, as expired records count as absent.
//
// The error is ctx's, ErrNoSchema or the server's; n rows were removed in spite of it.
func (s *Store) Sweep(ctx context.Context) (n int, err error) {
	for failed := 0; ; {
		tag, err := s.pool.Exec(ctx, s.sweep, sweepStep)
		if postgres.IsRetryable(err) && failed < attempts {
			failed++
			continue
		}
		if err != nil {
			return n, postgres.Explain(ctx, "idempotency/postgres: sweep", err)
		}
		n += int(tag.RowsAffected())
		if tag.RowsAffected() < sweepStep {
			return n, nil
		}
	}
}

// A sweeper runs one sweep at a time, and at most one in every. It has no goroutine while
// nothing is written.
type sweeper struct {
	every time.Duration // 0 is never
	log   *slog.Logger

	sweep func(context.Context) (int, error)
	ctx   context.Context //nolint:containedctx // of the goroutine, until close
	stop  context.CancelFunc
	wg    sync.WaitGroup // of the goroutine

	mu     sync.Mutex
	busy   bool      // guarded by mu
	closed bool      // guarded by mu
	next   time.Time // guarded by mu
}

func (w *sweeper) open(sweep func(context.Context) (int, error)) {
	w.sweep = sweep
	w.ctx, w.stop = context.WithCancel(context.Background())
}

// mayBegin starts a sweep if it is time for one.
func (w *sweeper) mayBegin() {
	if w.every == 0 {
		return
	}
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy || w.closed || now.Before(w.next) {
		return
	}
	w.busy, w.next = true, now.Add(w.every)
	w.wg.Go(w.run)
}

func (w *sweeper) run() {
	ctx, cancel := context.WithTimeout(w.ctx, sweepLimit)
	defer cancel()
	if _, err := w.sweep(ctx); err != nil && w.ctx.Err() == nil {
		w.log.Warn("idempotency records that have expired were not removed", "error", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
}

func (w *sweeper) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.stop()
	w.wg.Wait()
}
