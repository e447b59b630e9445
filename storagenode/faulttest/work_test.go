//go:build unix

package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/history"
)

const (
	tenantID = "faults"

	workersPerCoordinator = 3

	// pace is how often a worker begins a call, at the most. It bounds the writes per key, since the
	// cost of checking grows with their square.
	pace = 15 * time.Millisecond

	// hotKeys are written by all workers at once, for hotTime; then others are.
	hotKeys = 6
	hotTime = 4 * time.Second
)

func keyNames(prefix string, n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s-%03d", prefix, i)
	}
	return keys
}

// work runs workers on every coordinator until ctx ends. The group is done when they are.
func (r *trial) work(ctx context.Context) *sync.WaitGroup {
	var workers sync.WaitGroup
	for i, co := range r.c.coords {
		for j := range workersPerCoordinator {
			w := &history.Worker{
				Name:  fmt.Sprintf("%s.%d", co.name, j+1),
				Scope: clusterName,
				Log:   &r.log,
				Rand:  rand.New(rand.NewPCG(r.seed, uint64(i<<8|j))), //nolint:gosec // a schedule, not a secret
				Level: r.level,
			}
			if r.level == pairdb.Quorum && i == 0 && j == 0 {
				w.Level = pairdb.All // overlaps with all others, and fails with any node
			}
			workers.Go(func() { runWorker(ctx, r.c.t, co, w, r.keys) })
		}
	}
	return &workers
}

// runWorker makes calls until ctx ends; those under way have their own time to end.
func runWorker(ctx context.Context, t testing.TB, co *coordinator, w *history.Worker, keys []string) {
	defer func() {
		if broken := recover(); broken != nil {
			t.Errorf("worker %s: %v", w.Name, broken)
		}
	}()
	begun := time.Now()
	ticks := time.NewTicker(pace)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		w.Tenant = co.client.Load().Tenant(tenantID)
		w.Keys = keys
		if w.Rand.IntN(2) == 0 {
			first := int(time.Since(begun)/hotTime) * hotKeys % (len(keys) - hotKeys + 1)
			w.Keys = keys[first : first+hotKeys]
		}
		step(ctx, w)
	}
}

// step makes one call with a deadline: mostly a patient one, now and then one that ends at any stage.
func step(ctx context.Context, w *history.Worker) {
	limit := 300*time.Millisecond + time.Duration(w.Rand.IntN(2000))*time.Millisecond
	if w.Rand.IntN(12) == 0 {
		limit = time.Duration(w.Rand.IntN(6000)) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	w.Step(ctx)
}
