package replica

import (
	"math"
	"time"
)

const (
	// sweepEvery spaces sweeps, so that many different deadlines cost no more
	// than one sweep per 10 ms.
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

// collectLate takes out the operations whose deadline has passed, and plans the next sweep. It looks at what has come
// since the sweep before and is still there, and at what is due: most operations are answered before
// any sweep sees them, and those that are not are looked at once and go into the wheel.
func (c *Conn) collectLate(late []ended) []ended {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	before := c.swept
	c.swept = now
	see := func(op *Op) {
		switch {
		case op.deadline <= now:
			late = append(late, c.expire(op, now))
		case !op.filed:
			c.file(op)
		}
	}
	// Within a lane the order is that of Send (invariant 4): before one that was seen, all were. The handed ones of both
	// lanes are one list: what was handed over before the sweep before was seen by it.
	for _, list := range [...]*opList{&c.small.queue, &c.bulk.queue, &c.small.waiters, &c.bulk.waiters} {
		for op := list.tail; op != nil && !op.filed; {
			prev := op.prev
			see(op)
			op = prev
		}
	}
	for op := c.handed.tail; op != nil && op.handed >= before; {
		prev := op.prev
		see(op)
		op = prev
	}
	c.sweepAt = c.wheel.next(now, see)
	if c.sweepAt != never {
		c.sweepAt = max(c.sweepAt, now+sweepEvery)
	}
	c.small.admit()
	c.bulk.admit()
	c.settle()
	return late
}

// file puts op where sweeps find it when it is due.
func (c *Conn) file(op *Op) {
	op.filed = true
	if op.deadline != never {
		c.wheel.add(op)
	}
}

func (c *Conn) unfile(op *Op) {
	if op.filed && op.deadline != never {
		c.wheel.remove(op)
	}
	op.filed = false
}

// expire takes out op, whose deadline has passed.
func (c *Conn) expire(op *Op, now int64) ended {
	wasHanded := op.place == handed
	if wasHanded && (c.owedSince == 0 || op.handed < c.owedSince) {
		c.owedSince = op.handed
	}
	if wasHanded {
		op.lane.pressure.served-- // takeOut takes it for answered
	}
	c.takeOut(op)
	c.expired.Add(1)
	return ended{op, Result{Err: ErrExpired, Handed: wasHanded, Latency: time.Duration(now - op.accepted)}}
}
