package replica

import (
	"sync/atomic"
	"time"
)

const (
	// spareWaiting is the part of maxWaiting that Admit leaves to what is admitted already: second rounds, and
	// calls that were let in at the same time.
	spareWaiting = maxWaiting / 4

	// A part of Config.MaxInFlight, this many times smaller, is what Admit lets into a lane that has overflowed. Of a quarter,
	// an eighth and a sixteenth, an eighth gets most done where client and nodes share two cores.
	calmShare = 8

	// calmFor is how long it does. Then the lane may fill once more, to see whether the load has gone:
	// where it has not, that takes some hundredths of a second.
	calmFor = 3 * time.Second

	// paceFrom is the backlog from which on a lane's pace is taken: half of the largest batch, so
	// that the node, and not the way to it, sets the pace. paceEvery operations make one sample.
	paceFrom  = 256
	paceEvery = 256

	// patienceShare: an operation whose expected wait is more than half of the time that it has is not admitted. The
	// other half is for what the expectation leaves out: a second round, a node that gets slower.
	patienceShare = 2
)

// A pressure is what a lane shows of its backlog to those who ask whether they may come, without a lock.
type pressure struct {
	backlog   atomic.Int64 // operations in the lane
	pace      atomic.Int64 // nanoseconds that each takes; 0 is not known
	calmUntil atomic.Int64 // Conn.now

	// Guarded by the Conn's mutex.
	since  int64 // when the sample was begun; 0 is none
	served int64 // handed operations that have left since, without those that expired
}

// An Admission is Admit's answer.
type Admission struct {
	OK      bool
	Backlog int           // operations that are ahead
	Wait    time.Duration // until they are done, at the node's pace; 0 where that is not known
}

// Admit says whether an operation of about that many bytes, which has the time that is left, had better be sent to this node.
// now is the caller's reading of the clock. It takes no lock and promises nothing: Send has its own, wider bound.
//
// It says no in three cases. The lane is full: what it may have in flight, and 3,072 that wait. Or it was full within the last
// three seconds and holds an eighth of Config.MaxInFlight: a backlog that stays serves nobody, and
// costs each operation the memory of all that are ahead (so that a node's clients get less done with 8,000
// operations in flight than with 1,000), but a burst that passes is to be waited for. Or what is ahead will take more than half
// of the time left, at the pace at which the node has answered lately.
func (c *Conn) Admit(bytes int, now time.Time, left time.Duration) Admission {
	ln := &c.small
	if bytes > bulkBytes {
		ln = &c.bulk
	}
	n := ln.pressure.backlog.Load()
	a := Admission{OK: true, Backlog: int(n), Wait: time.Duration(n * ln.pressure.pace.Load())}
	switch {
	case n < int64(max(1, ln.maxOps/calmShare)):
	case n >= int64(ln.maxOps+maxWaiting-spareWaiting):
		ln.pressure.calmUntil.Store(c.at(now) + int64(calmFor))
		a.OK = false
	case c.at(now) < ln.pressure.calmUntil.Load():
		a.OK = false
	}
	a.OK = a.OK && a.Wait <= left/patienceShare
	return a
}

// gauge shows the lane's backlog, and its pace while the backlog lasts.
func (c *Conn) gauge(ln *lane) {
	n := int64(ln.ops + ln.waiters.n)
	p := &ln.pressure
	publish(&p.backlog, n)
	switch {
	case n < paceFrom:
		if p.since != 0 {
			p.since = 0
			publish(&p.pace, 0)
		}
	case p.since == 0:
		p.since, p.served = c.now(), 0
	case p.served >= paceEvery:
		now := c.now()
		pace := (now - p.since) / p.served
		if before := p.pace.Load(); before != 0 {
			pace = (3*before + pace) / 4
		}
		publish(&p.pace, pace)
		p.since, p.served = now, 0
	}
}
