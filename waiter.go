package pairdb

import "time"

// A waiter is how the caller of a request sleeps until it is decided. It is used again
// with its request, within one client: a channel and a timer cost more than all else that a
// request allocates.
type waiter struct {
	woken chan struct{} // holds a token once the request is decided
	taken bool          // the caller has received it
	timer *time.Timer
}

func newWaiter() waiter { return waiter{woken: make(chan struct{}, 1)} }

// wake is called once in a request's life.
func (w *waiter) wake() { w.woken <- struct{}{} }

// after returns a channel that receives d from now, or at once.
func (w *waiter) after(d time.Duration) <-chan time.Time {
	d = max(d, 1)
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	return w.timer.C
}

// stop ends what after began: nothing is received from its channel any more.
func (w *waiter) stop() { w.timer.Stop() }

// reset makes the waiter of a request that has ended ready for the next.
func (w *waiter) reset() {
	if !w.taken {
		<-w.woken // a request that has ended was decided
	}
	w.taken = false
}
