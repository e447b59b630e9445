package replica

import (
	"errors"
	"time"
)

const (
	backoffFirst = 50 * time.Millisecond // about a node's restart at its quickest
	backoffLast  = 2 * time.Second       // how late a node that is back may be noticed
	backoffFloor = 5 * time.Millisecond  // no busy loop, whatever the dice say

	// steadyAfter is how long a connection must have lived for the next one to
	// be tried as if nothing had happened.
	steadyAfter = backoffLast
)

// A backoff spaces attempts: exponential with full jitter (Brooker, "Exponential
// Backoff and Jitter", 2015), so that many coordinators do not come back to a node at once.
type backoff struct {
	failures int
	rand     func() uint64
}

// next returns how long to wait after an attempt that failed, or a connection that broke.
func (b *backoff) next(err error) time.Duration {
	most := backoffLast
	if b.failures < 6 && !errors.Is(err, ErrMismatch) { // another answer to who it is takes a person
		most = min(backoffFirst<<b.failures, backoffLast)
	}
	b.failures++
	return backoffFloor + time.Duration(b.rand()%uint64(most-backoffFloor))
}

// lived is told how long a connection was up.
func (b *backoff) lived(d time.Duration) {
	if d >= steadyAfter {
		b.failures = 0
	}
}
