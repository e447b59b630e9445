package pairdb

// A waiter is how the caller of a request sleeps until it is decided, its time is over, as a chime tells it, or its context
// ends. All but the context come by one channel: with a context that never ends the wait is a plain receive, and else a select
// of two, which costs half of one that has a timer's channel besides. It is used again with its request, within one
// client: a channel costs more than all else that a request allocates.
type waiter struct {
	events chan event // has room for all that can come
	taken  bool       // the caller has received decided
	armed  bool       // rang is still to come
}

// An event ends a sleep.
type event uint8

const (
	decided event = iota // the request is; once in its life
	rang                 // the time is over; once per after
	gone                 // the caller's context ended
)

func newWaiter() waiter { return waiter{events: make(chan event, 2)} }

// wake is called once in a request's life.
func (w *waiter) wake() { w.events <- decided }

// next sleeps until something happens; done is the context's, and may be nil.
func (w *waiter) next(done <-chan struct{}) event {
	if done == nil {
		return w.note(<-w.events)
	}
	select {
	case e := <-w.events:
		return w.note(e)
	case <-done:
		return gone
	}
}

func (w *waiter) note(e event) event {
	w.taken = w.taken || e == decided
	w.armed = w.armed && e != rang
	return e
}

// reset makes the waiter of a request that has ended ready for the next.
func (w *waiter) reset() {
	if !w.taken {
		<-w.events // a request that has ended was decided
	}
	w.taken = false
}
