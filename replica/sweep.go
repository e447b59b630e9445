package replica

import (
	"math"
	"time"
)

const (
	// sweepEvery spaces sweeps, so that many different deadlines cost no more
	// than one look at all operations per 10 ms.
	sweepEvery = int64(10 * time.Millisecond)

	// never is the deadline of an operation that has none.
	never = math.MaxInt64
)

// An ended is an operation that has left the Conn without an answer.
type ended struct {
	op *Op
	r  Result
}

// complete tells the handlers. No lock is held.
func complete(list []ended) {
	for _, e := range list {
		e.op.Handler.Complete(e.op, e.r)
	}
}

// sweep completes the operations whose deadlines pass. It sleeps until the
// earliest one known, and has no timer running while there is none.
func (c *Conn) sweep() {
	timer := time.NewTimer(never)
	defer timer.Stop()
	var late []ended
	for {
		c.mu.Lock()
		at := c.sweepAt
		c.mu.Unlock()
		if at == never {
			timer.Stop()
		} else {
			timer.Reset(time.Duration(max(at-c.now(), 1)))
		}
		select {
		case <-c.ctx.Done():
			return
		case <-c.sweepSooner:
		case <-timer.C:
			late = c.collectLate(late[:0])
			complete(late)
			clear(late)
		}
	}
}

// sweepBy makes sure that there is a sweep at deadline or soon after it. If it
// returns true, the caller wakes the sweeper, once it has let go of the lock.
func (c *Conn) sweepBy(deadline int64) bool {
	if deadline >= c.sweepAt { // also never
		return false
	}
	at := max(deadline, c.swept+sweepEvery)
	if at >= c.sweepAt {
		return false
	}
	c.sweepAt = at
	return true
}

func (c *Conn) wakeSweeper() {
	select {
	case c.sweepSooner <- struct{}{}:
	default: // it has yet to look at sweepAt
	}
}

// collectLate takes out the operations whose deadline has passed, and plans the next sweep.
func (c *Conn) collectLate(late []ended) []ended {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.swept, c.sweepAt = now, never
	for _, list := range c.lists() {
		for op := list.head; op != nil; {
			next := op.next
			if op.deadline <= now {
				late = append(late, c.expire(op, now))
			} else if op.deadline < c.sweepAt {
				c.sweepAt = op.deadline
			}
			op = next
		}
	}
	if c.sweepAt != never {
		c.sweepAt = max(c.sweepAt, now+sweepEvery)
	}
	c.small.admit()
	c.bulk.admit()
	c.settle()
	return late
}

// expire takes out op, whose deadline has passed.
func (c *Conn) expire(op *Op, now int64) ended {
	wasHanded := op.place == handed
	if wasHanded && (c.owedSince == 0 || op.handed < c.owedSince) {
		c.owedSince = op.handed
	}
	c.takeOut(op)
	c.expired.Add(1)
	return ended{op, Result{Err: ErrExpired, Handed: wasHanded, Latency: time.Duration(now - op.accepted)}}
}
