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

	// More samples than one in latencyBeyond of the window that lie above the p95 move it: it is worked out at
	// once, and after latencyFew at the least.
	latencyBeyond = 20
	latencyFew    = 4

	// Of a busy connection's reads so many in so long are taken, so that the window is an eighth of a second at the least: with all
	// of 50,000 a second, a hiccup of 5 ms would be the whole of it, and a slow node would look
	// like any other.
	thinPeriod = 64 * time.Millisecond
	thinTaken  = 128
)

// latencies keeps the last reads' times, and their median, 95th percentile (nearest rank) and mean. The window
// slides, so that a node that has become slow, or quick again, is known as such
// after a few hundred samples, and one that has become slow after 13 slow ones; streaming estimators such as P² (Jain and
// Chlamtac, 1985) need less memory but remember for ever.
type latencies struct {
	p50, p95, mean atomic.Int64 // nanoseconds

	mu      sync.Mutex // guards the rest
	ring    [latencySamples]time.Duration
	scratch [latencySamples]time.Duration
	seen    int
	above   int // samples above the p95 since it was worked out

	period  int64 // when it began, in nanoseconds of Conn.now
	offered int   // samples in it
	every   int   // one in so many is taken, by what the period before brought
}

// offer takes samples, but those that are too many.
func (l *latencies) offer(now int64, samples []time.Duration) {
	if len(samples) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(l.thin(now, samples))
}

// thin leaves of samples those to take, in their place.
func (l *latencies) thin(now int64, samples []time.Duration) []time.Duration {
	if passed := time.Duration(now - l.period); passed >= thinPeriod {
		l.every = 1
		if passed < 2*thinPeriod { // else what was before says nothing
			l.every += l.offered / thinTaken
		}
		l.period, l.offered = now, 0
	}
	taken := samples[:0]
	for _, d := range samples {
		if l.offered++; l.every <= 1 || l.offered%l.every == 0 {
			taken = append(taken, d)
		}
	}
	return taken
}

// add takes samples; mu is held.
func (l *latencies) add(samples []time.Duration) {
	p95, due := time.Duration(l.p95.Load()), false
	for _, d := range samples {
		l.ring[l.seen%latencySamples] = d
		l.seen++
		if d > p95 {
			l.above++
		}
		due = due || l.seen%latencyEvery == 0 || l.seen == latencyFirst
	}
	if due || l.seen > latencyFirst && l.above >= max(latencyFew, 1+l.filled()/latencyBeyond) {
		l.compute()
	}
}

// atLeast takes the time of a read that has no answer yet. One that is not above what is usual
// says nothing.
func (l *latencies) atLeast(now int64, d time.Duration) {
	if int64(d) > l.p95.Load() {
		l.offer(now, []time.Duration{d})
	}
}

// keep forgets all samples but the newest n.
func (l *latencies) keep(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = min(n, l.filled())
	if n == 0 {
		return
	}
	newest := l.scratch[:n]
	for i := range newest {
		newest[i] = l.ring[(l.seen-n+i)%latencySamples]
	}
	l.seen = copy(l.ring[:], newest)
	l.compute()
}

func (l *latencies) filled() int { return min(l.seen, latencySamples) }

func (l *latencies) compute() {
	n := l.filled()
	sorted := l.scratch[:n]
	copy(sorted, l.ring[:n])
	slices.Sort(sorted)
	var sum time.Duration
	for _, d := range sorted {
		sum += d
	}
	l.p50.Store(int64(sorted[(n-1)/2]))
	l.p95.Store(int64(sorted[(n*95+99)/100-1]))
	l.mean.Store(int64(sum) / int64(n))
	l.above = 0
}

// Overdue says that a read that was sent d ago has no answer yet, or never had one. It counts among the
// reads' times as one of d, if it is above their P95: else a node that answers nothing would pass for
// a quick one until its answers come. Call it once for a read, at most twice.
func (c *Conn) Overdue(d time.Duration) { c.reads.atLeast(c.now(), d) }

// Recovered forgets the reads' times but for the last n: a node that was slow is known to be quick
// again before it has answered as many reads as Health remembers.
func (c *Conn) Recovered(n int) { c.reads.keep(n) }
