package pairdb

import (
	"runtime"
	"sync"
	"time"
)

// A chime is the timer of many waits: of reads, for the time after which another owner is asked, and of writes, for their
// deadlines. A timer of its own for each would be set and stopped a few hundred thousand times a second, and where it is due
// before all others, which it is with few callers, each setting wakes a thread to wait for it. The chime's is set when a
// wait begins that it is not set for, and then looks.
type chime struct {
	base time.Time // from which times count, in nanoseconds

	mu    sync.Mutex     // guards what follows, and what is its of each waiter
	waits []*chimeWaiter // in no order
	timer *time.Timer
	goes  int64 // when the timer goes off; 0: it is not running
}

// chimeRest is the least between two looks, each of which goes through all waits: where thousands are late and due again at
// times of their own, the looks would take the processor.
const chimeRest = hedgeMin / 4

// chimes spreads waiters over several, which share no lock.
type chimes struct {
	all  []chime
	mu   sync.Mutex
	next int
}

func newChimes() *chimes {
	c := &chimes{all: make([]chime, 2*runtime.GOMAXPROCS(0))}
	now := time.Now()
	for i := range c.all {
		c.all[i].base = now
	}
	return c
}

// waiter returns a waiter that one of the chimes rings for.
func (c *chimes) waiter() chimeWaiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = (c.next + 1) % len(c.all)
	return chimeWaiter{waiter: newWaiter(), chime: &c.all[c.next]}
}

// look rings for the waits that are over, and is set for the next.
func (c *chime) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := int64(time.Since(c.base))
	c.goes = 0
	for i := 0; i < len(c.waits); {
		switch w := c.waits[i]; {
		case w.due <= now:
			c.remove(w)
			w.events <- rang // has room
			continue
		case c.goes == 0 || w.due < c.goes:
			c.goes = w.due
		}
		i++
	}
	if c.goes != 0 {
		c.goes = max(c.goes, now+int64(chimeRest))
		c.timer.Reset(time.Duration(c.goes - now))
	}
}

// remove takes w out; mu is held.
func (c *chime) remove(w *chimeWaiter) {
	last := len(c.waits) - 1
	c.waits[w.place] = c.waits[last]
	c.waits[w.place].place = w.place
	c.waits[last] = nil
	c.waits = c.waits[:last]
	w.waits = false
}

// A chimeWaiter is a waiter with a chime for its timer.
type chimeWaiter struct {
	waiter
	chime *chime
	due   int64
	place int  // in the chime's waits
	waits bool // it is among them
}

// after rings d from now, which is the caller's reading of the clock. It is not armed.
func (w *chimeWaiter) after(now time.Time, d time.Duration) {
	c := w.chime
	w.armed = true
	c.mu.Lock()
	defer c.mu.Unlock()
	w.due = max(int64(now.Sub(c.base)+min(d, 1<<62)), 1) // for ever is a long time, and not one that has passed
	w.place, w.waits = len(c.waits), true
	c.waits = append(c.waits, w)
	if c.goes != 0 && c.goes <= w.due {
		return
	}
	c.goes = w.due
	left := time.Duration(w.due) - time.Since(c.base) // others rely on it, and now may be a while ago
	if c.timer == nil {
		c.timer = time.AfterFunc(left, c.look)
	} else {
		c.timer.Reset(left)
	}
}

// stop ends what after began: nothing comes of it any more.
func (w *chimeWaiter) stop() {
	w.chime.mu.Lock()
	if w.waits {
		w.chime.remove(w)
		w.armed = false
	}
	w.chime.mu.Unlock()
	for w.armed { // it has rung
		w.note(<-w.events)
	}
}
