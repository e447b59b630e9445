package replica

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	latencySamples = 256 // the window: recent, and enough for a p95 (13 samples lie beyond it)
	latencyEvery   = 64  // samples between two computations
	latencyFirst   = 8   // fewer samples say nothing
)

// latencies keeps the last reads' times, and their 95th percentile (nearest rank) and mean. The window
// slides, so that a node that has become slow, or quick again, is known as such
// after a few hundred reads; streaming estimators such as P² (Jain and Chlamtac,
// 1985) need less memory but remember for ever.
type latencies struct {
	p95, mean atomic.Int64 // nanoseconds

	mu      sync.Mutex // guards the rest
	ring    [latencySamples]time.Duration
	scratch [latencySamples]time.Duration
	seen    int
}

func (l *latencies) add(samples []time.Duration) {
	if len(samples) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	due := false
	for _, d := range samples {
		l.ring[l.seen%latencySamples] = d
		l.seen++
		due = due || l.seen%latencyEvery == 0 || l.seen == latencyFirst
	}
	if due {
		l.compute()
	}
}

func (l *latencies) compute() {
	n := min(l.seen, latencySamples)
	sorted := l.scratch[:n]
	copy(sorted, l.ring[:n])
	slices.Sort(sorted)
	var sum time.Duration
	for _, d := range sorted {
		sum += d
	}
	l.p95.Store(int64(sorted[(n*95+99)/100-1]))
	l.mean.Store(int64(sum) / int64(n))
}
