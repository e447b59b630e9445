package replica

import (
	"errors"
	"io"
	"math"
	"runtime"
	"time"
)

// write hands a lane's operations to its stream, a batch at a time, until the link
// is cut. A batch is what was queued while the one before was being handed over
// (which blocks while the node takes nothing).
func (l *link) write(ln *lane, s stream) {
	var f frame
	var late []ended
	for {
		var current bool
		if late, current = l.conn.load(l, ln, &f, late[:0]); !current {
			return
		}
		complete(late)
		clear(late)
		if f.len() == 0 {
			continue
		}
		if err := s.send(&f); err != nil {
			if !errors.Is(err, io.EOF) { // else the reader learns the cause
				l.conn.goDown(l, l.cause(err))
			}
			return
		}
		f.reset()
	}
}

// load waits until ln has operations queued, and moves as many as a frame takes from the queue into
// f and among the handed ones. Those that are late already go to late.
// If l is no longer the link, current is false.
func (c *Conn) load(l *link, ln *lane, f *frame, late []ended) (_ []ended, current bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link == l && ln.queue.n == 0 {
		for c.link == l && ln.queue.n == 0 {
			ln.ready.Wait()
		}
		// Who woke us is rarely alone: let the other callers that are about to
		// send do so, and take them along. Costs nothing when there are none.
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	if c.link != l {
		return late, false
	}
	now := c.now()
	for op := ln.queue.head; op != nil && f.fits(op); op = ln.queue.head {
		if op.deadline <= now {
			late = append(late, c.expire(op, now))
			continue
		}
		ln.queue.remove(op)
		op.place = handed
		op.handed = now
		c.handed.push(op)
		f.add(op, c.slots.put(op), timeoutMillis(op.deadline, now))
	}
	if f.len() > 0 {
		c.sent.Add(uint64(f.len()))
		c.batches.Add(1)
		c.bytesOut.Add(uint64(f.bytes))
	}
	ln.admit()
	c.settle()
	return late, true
}

// timeoutMillis is what is left until a deadline that has not passed. It rounds up, since 0
// means for ever to a node.
func timeoutMillis(deadline, now int64) uint32 {
	if deadline == never {
		return 0
	}
	return uint32(min((deadline-now-1)/int64(time.Millisecond)+1, math.MaxUint32))
}
