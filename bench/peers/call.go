package peers

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"
)

// A call is one request of a floor, sent to all servers under one id. It is used again once
// every server has answered and the caller has gone: so no answer can be taken for one to a later request.
type call struct {
	id    uint32
	state atomic.Uint32 // see okBit
	done  chan struct{} // has room for one: the caller's one wake-up

	// What the answer that decided brought. Set before done.
	value []byte
	found bool

	message message // floor-grpc: what is sent, its memory kept
}

// The bits of a call's state. A server sets one of its two once.
const (
	okBit     = 1 << 0 // << server: it answered
	failedBit = 1 << 4 // << server: it never will
	goneBit   = 1 << 8 // the caller waits no more
	serverSet = 1<<servers - 1
)

func oks(state uint32) int      { return bits.OnesCount32(state & serverSet) }
func failures(state uint32) int { return bits.OnesCount32(state / failedBit & serverSet) }

func decided(state uint32) bool { return oks(state) >= needed || failures(state) > servers-needed }

func complete(state uint32) bool {
	return (state|state/failedBit)&serverSet == serverSet && state&goneBit != 0
}

// calls are the requests in hand, by id.
type calls struct {
	mu   sync.Mutex
	free []*call                 // guarded by mu; the last one in is the first out, and still in a cache
	all  atomic.Pointer[[]*call] // by id; written under mu, read by whoever has an answer
}

// begin returns a call that nobody else has.
func (t *calls) begin() *call {
	t.mu.Lock()
	if len(t.free) == 0 {
		t.grow()
	}
	c := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.mu.Unlock()
	c.state.Store(0)
	return c
}

// grow adds as many calls as there are, 64 at least. There are never more than callers, and
// calls of which a slow server still owes the answer.
func (t *calls) grow() {
	var all []*call
	if old := t.all.Load(); old != nil {
		all = *old
	}
	grown := make([]*call, len(all), max(64, 2*len(all)))
	copy(grown, all)
	for id := len(all); id < cap(grown); id++ {
		c := &call{id: uint32(id), done: make(chan struct{}, 1)} //nolint:gosec // memory ends first
		c.state.Store(serverSet | goneBit)                       // complete: failAll leaves it alone
		grown = append(grown, c)
		t.free = append(t.free, c)
	}
	t.all.Store(&grown)
}

// answer takes a server's answer. The value is copied if it decides.
func (t *calls) answer(server int, id uint32, value []byte, found bool) error {
	all := *t.all.Load()
	if int(id) >= len(all) {
		return ErrBroken
	}
	c := all[id]
	before := c.state.Or(okBit << server)
	after := before | okBit<<server
	switch {
	case decides(before, after):
		c.value, c.found = append([]byte(nil), value...), found
		c.done <- struct{}{}
	case complete(after) && before != after:
		t.release(c)
	}
	return nil
}

// fail says that a server will not answer the call. It may be said again, and of a call that was answered.
func (t *calls) fail(server int, c *call) {
	for {
		before := c.state.Load()
		if before&(okBit<<server|failedBit<<server) != 0 {
			return
		}
		after := before | failedBit<<server
		if !c.state.CompareAndSwap(before, after) {
			continue
		}
		switch {
		case decides(before, after):
			c.done <- struct{}{}
		case complete(after):
			t.release(c)
		}
		return
	}
}

// decides says whether the caller is to be woken for this change. No other change of the
// call does: of three servers two cannot have answered and two failed.
func decides(before, after uint32) bool {
	return before&goneBit == 0 && decided(after) && !decided(before)
}

// failAll is fail for all calls in hand.
func (t *calls) failAll(server int) {
	if all := t.all.Load(); all != nil {
		for _, c := range *all {
			t.fail(server, c)
		}
	}
}

// wait returns when the call is decided, and gives it up. The caller must not touch it afterwards.
func (t *calls) wait(ctx context.Context, c *call) (value []byte, found bool, err error) {
	if ctx.Done() == nil {
		<-c.done
	} else {
		select {
		case <-c.done:
		case <-ctx.Done():
			if t.leave(c) {
				return nil, false, ctx.Err()
			}
			<-c.done
		}
	}
	value, found = c.value, c.found
	c.value = nil
	before := c.state.Or(goneBit)
	if failures(before) > servers-needed {
		err = ErrBroken
	}
	if complete(before | goneBit) {
		t.release(c)
	}
	return value, found, err
}

// leave gives up a call that is not decided. If it is, done has been sent to or is about to be.
func (t *calls) leave(c *call) bool {
	for {
		before := c.state.Load()
		if decided(before) {
			return false
		}
		if c.state.CompareAndSwap(before, before|goneBit) {
			return true
		}
	}
}

func (t *calls) release(c *call) {
	t.mu.Lock()
	t.free = append(t.free, c)
	t.mu.Unlock()
}
