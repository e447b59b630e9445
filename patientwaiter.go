package pairdb

import (
	"sync/atomic"
	"time"
)

// A patientWaiter is a waiter that is rarely rung for: by the deadlines of writes. Its timer is neither stopped when a wait
// ends nor set anew for the next, which will ring later still: that would cost a write as much as its encoding. It goes off
// once in the time of thousands of writes, sees that nothing is due, and is set for what is.
type patientWaiter struct {
	waiter
	timer *time.Timer
	brief bool      // what is due is outside lazyFrom and lazyTo
	base  time.Time // from which due and goes count, in nanoseconds
	due   atomic.Int64
	goes  atomic.Int64 // when the timer goes off, or later; 0 where it may not be running
}

// Waits between these leave their timer running: for less it would go off too often, and for more it would keep the
// memory of a request that is not used again.
const (
	lazyFrom = 100 * time.Millisecond
	lazyTo   = 10 * time.Second
)

func newPatientWaiter() patientWaiter { return patientWaiter{waiter: newWaiter(), base: time.Now()} }

// after has the timer ring d from now, which is the caller's reading of the clock, or at once. It is not armed.
func (w *patientWaiter) after(now time.Time, d time.Duration) {
	due := max(int64(now.Sub(w.base)+d), 1)
	w.armed, w.brief = true, d < lazyFrom || d > lazyTo
	w.due.Store(due)
	if goes := w.goes.Load(); goes != 0 && goes <= due {
		return // ring looks at due after it has set goes to 0
	}
	w.goes.Store(due)
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.ring)
	} else {
		w.timer.Reset(d)
	}
}

// ring is what the timer does, on a goroutine of its own: beside one that was late, if need be.
func (w *patientWaiter) ring() {
	w.goes.Store(0)
	for {
		due := w.due.Load()
		if due == 0 {
			return
		}
		left := time.Duration(due) - time.Since(w.base)
		if left <= 0 {
			if w.due.CompareAndSwap(due, 0) {
				w.events <- rang
				return
			}
			continue
		}
		w.goes.Store(due)
		w.timer.Reset(left)
		if w.due.Load() == due { // else this Reset may have undone that of after
			return
		}
	}
}

// stop ends what after began: nothing comes of the timer any more.
func (w *patientWaiter) stop() {
	if w.armed && w.due.Swap(0) != 0 {
		w.armed = false
	}
	for w.armed { // it is ringing
		w.note(<-w.events)
	}
	if w.brief {
		w.timer.Stop()
		w.goes.Store(0)
	}
}
