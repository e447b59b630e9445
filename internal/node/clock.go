package node

import (
	"sync"
	"time"
)

// A clock notices when the wall clock jumps while the node runs: when it moves
// otherwise than the monotonic clock by more than the skew limit. A jump is more
// often a mistake that is mended soon (a wrong time server) than a correction,
// and under a wrong clock the node would refuse what is right and take stamps of
// the future. So client writes are refused until the clock has jumped back, or has
// kept its new time for as long as the skew limit (a machine that slept): then it
// is believed.
type clock struct {
	elapsed func() time.Duration // nil: no comparison
	most    time.Duration        // a difference of more is a jump

	mu       sync.Mutex    // guards what follows
	offset   time.Duration // between the two clocks, as believed
	doubtful bool          // it has jumped
	seen     time.Duration // the offset since the jump
	since    time.Duration // the elapsed time at which it was first seen
}

func newClock(now time.Time, elapsed func() time.Duration, most time.Duration) *clock {
	c := &clock{elapsed: elapsed, most: most}
	if elapsed != nil {
		c.offset = offsetOf(now, elapsed())
	}
	return c
}

// offsetOf compares wall time alone: Sub would use the monotonic reading.
func offsetOf(now time.Time, elapsed time.Duration) time.Duration {
	return now.Round(0).Sub(time.Unix(0, 0)) - elapsed
}

// jumped returns by how much the wall clock, which reads now, has jumped; 0 if it
// has not, or if that is believed.
func (c *clock) jumped(now time.Time) time.Duration {
	if c.elapsed == nil {
		return 0
	}
	elapsed := c.elapsed()
	offset := offsetOf(now, elapsed)
	c.mu.Lock()
	defer c.mu.Unlock()
	jump := offset - c.offset
	switch {
	case jump.Abs() <= c.most:
		c.doubtful = false
		return 0
	case !c.doubtful || (offset-c.seen).Abs() > c.most:
		c.doubtful, c.seen, c.since = true, offset, elapsed
	case elapsed-c.since >= c.most:
		c.offset, c.doubtful = offset, false
		return 0
	}
	return jump
}

// noticeEvery is how often the same thing is logged while it lasts.
const noticeEvery = time.Minute

// A notice keeps what happens with every write from being logged with each.
type notice struct {
	mu   sync.Mutex
	last time.Time // guarded by mu
}

// due reports whether it is time to log again.
func (n *notice) due() bool {
	now := time.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.last.IsZero() && now.Sub(n.last) < noticeEvery {
		return false
	}
	n.last = now
	return true
}
