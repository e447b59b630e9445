package node

import (
	"sync"
	"time"
)

// An alarm rings when something has gone on for its time. It is made for what begins and ends many thousand times
// a second and hardly ever takes so long: its timer is set once per such time, and then looks. Setting a timer for every
// frame would wake a thread each time, to wait for what is due first.
type alarm struct {
	after time.Duration
	ring  func()

	mu      sync.Mutex // guards what follows
	since   time.Time  // when what goes on began; zero: nothing does
	timer   *time.Timer
	set     bool // the timer is running
	stopped bool
}

func newAlarm(after time.Duration, ring func()) *alarm { return &alarm{after: after, ring: ring} }

// begin notes that it goes on since a time, if it does not already.
func (a *alarm) begin(since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since.IsZero() {
		a.since = since
	}
	switch {
	case a.set || a.stopped:
	case a.timer == nil:
		a.set, a.timer = true, time.AfterFunc(a.after, a.look)
	default:
		a.set = true
		a.timer.Reset(a.after)
	}
}

func (a *alarm) end() {
	a.mu.Lock()
	a.since = time.Time{}
	a.mu.Unlock()
}

// look rings if it is time, and else looks again when it may be.
func (a *alarm) look() {
	a.mu.Lock()
	a.set = false
	due := false
	if !a.since.IsZero() {
		if left := a.after - time.Since(a.since); left > 0 {
			a.set = true
			a.timer.Reset(left)
		} else {
			due, a.since = true, time.Time{}
		}
	}
	a.mu.Unlock()
	if due {
		a.ring()
	}
}

// stop ends it for good; it may have begun to ring.
func (a *alarm) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since, a.stopped = time.Time{}, true
	if a.timer != nil {
		a.timer.Stop()
	}
}
