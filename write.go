package pairdb

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/vclock"
)

// writeRequest drives one quorum.Write: from the caller's start to the end of the tail.
//
// Lock order: writeRequest.mu, then the lock of a connection. A connection
// calls Complete without its lock.
//
// Requests are used again, from a pool of their client. Two hold one: its caller, until it has the verdict,
// and its tail; who repairs without the lock is a third. A step that is done without mu
// must be of one of them.
type writeRequest struct {
	users  atomic.Int32
	waiter chimeWaiter
	call   call // copied: it outlives the caller's
	dot    vclock.Dot
	pin    vclock.Pin // by which the minter holds the key for this write, if it does
	sent   time.Time  // when the call sent it first
	until  time.Time  // when the tail ends
	long   bool       // that is more than a tail from the start, so that it is shortened when the caller has gone

	mu     sync.Mutex
	m      quorum.Write    // guarded by mu, as all below
	over   chan<- struct{} // closed when the fate is known or the tail has ended; nil where nobody waits for that
	ops    []replica.Op    // by slot
	flying quorum.Set      // accepted by a connection and not complete
	causes causes
	work   work // to be done when mu is free
	ended  bool
}

// write sends the sibling to the owners and waits for the level. The minter's
// pin on the key, if any, passes to the request. over, if not nil, is closed when the write is
// decided and its fate is known, or the tail has ended. The caller frees the request.
func (k *call) sendWrite(ctx vclock.Clock, sib vclock.Sibling, pin vclock.Pin, down, amnesiac quorum.Set, over chan<- struct{}) (*writeRequest, error) {
	w := k.c.writes.Get().(*writeRequest)
	w.users.Store(1)
	w.call, w.dot, w.pin, w.over = *k, sib.Dot, pin, over
	w.call.waits()
	now := k.time()
	tail := now.Add(defaultTail)
	w.until = later(k.deadline, tail)
	w.long = w.until.After(tail)
	err := w.m.Init(quorum.WriteParams{
		Owners:   quorum.Owners{Old: quorum.FirstN(len(k.owners))},
		Level:    k.level,
		Policy:   k.cfg.Policy,
		Context:  ctx,
		Sibling:  sib,
		Down:     down,
		Amnesiac: amnesiac,
	})
	if err != nil {
		w.release()
		w.waiter.taken = true // nobody wakes it
		w.free()
		return nil, levelError(k.op, k.level, len(k.owners))
	}
	w.users.Add(1)  // the tail
	k.c.gate.hold() // until it ends
	k.downCauses(&w.causes, down)
	w.mu.Lock()
	w.sent = now
	w.follow(w.m.Start())
	w.unlock()
	w.wait(now, k.deadline.Sub(now))
	k.waits()
	return w, nil
}

// follow does what a step asks for. mu is held.
func (w *writeRequest) follow(s quorum.Step) {
	if len(s.Repairs) > 0 {
		w.work.repairs = append(w.work.repairs, s.Repairs...)
	}
	if s.Merge != 0 {
		w.send(s.Merge)
	}
	if s.Done {
		w.waiter.wake()
	}
}

// send hands the write to the owners in set.
func (w *writeRequest) send(set quorum.Set) {
	state := w.m.State()
	w.ops = slices.Grow(w.ops[:0], len(w.call.owners))[:len(w.call.owners)]
	for i := range set.All {
		if w.m.Outcome() == quorum.Lost {
			w.follow(w.m.Fail(i, quorum.NotSent))
			continue
		}
		w.ops[i] = replica.Op{
			Kind: storagepb.Kind_MERGE, Origin: storagepb.Origin_CLIENT,
			Tenant: w.call.tenant, Key: w.call.key, Policy: w.call.cfg.Policy,
			State: state, Deadline: w.until,
			Handler: w, Tag: uint32(i),
		}
		if err := w.conn(i).SendAt(&w.ops[i], w.sent); err != nil {
			w.causes.note(i, cause{err: withKind(err)})
			w.follow(w.m.Fail(i, quorum.NotSent))
			continue
		}
		w.flying = w.flying.With(i)
	}
}

func (w *writeRequest) conn(i int) *replica.Conn {
	return w.call.v.nodes[w.call.owners[i]].conn
}

// Complete takes what became of one operation, on a connection's goroutine.
func (w *writeRequest) Complete(op *replica.Op, r replica.Result) {
	i := int(op.Tag)
	failure, why, ok := failureOf(&r)
	w.mu.Lock()
	w.flying = w.flying.Without(i)
	if !ok {
		w.causes.note(i, cause{err: explain(w.conn(i), &r, why), answered: r.Err == nil})
		w.follow(w.m.Refuse(i, quorum.Refusal{Failure: failure, Amnesiac: r.Amnesiac}))
	} else {
		if r.Amnesiac {
			w.causes.note(i, cause{err: &kindError{kind: ErrUnavailable, err: errAmnesiac}, answered: true})
		}
		w.follow(w.m.Reply(i, quorum.Ack{
			Live: r.Live, State: r.State, Amnesiac: r.Amnesiac,
			ValuesMissing: w.call.cfg.Policy == vclock.LastWriteWins || valuesMissing(r.State),
		}))
	}
	w.unlock()
}

// valuesMissing reports whether a node left out the values of a large state, or
// its siblings altogether: no repair can be made of that.
// A live sibling with an empty value is taken for one, which costs a repair that reads make up for.
func valuesMissing(s vclock.State) bool {
	for i := range s.Siblings {
		if !s.Siblings[i].Tombstone && len(s.Siblings[i].Value) == 0 {
			return true
		}
	}
	return len(s.Siblings) == 0
}

// unlock frees mu and then does what the steps left to do.
func (w *writeRequest) unlock() {
	var missed quorum.Set
	if !w.ended && w.m.Outcome() != quorum.Pending && w.flying == 0 {
		w.ended, w.work.ended = true, true
		if !w.m.NotApplied() {
			missed = w.m.Missed()
		}
	}
	w.tellFate()
	todo := w.work.take(w.call.c)
	if len(todo.repairs) > 0 {
		w.users.Add(1)
	}
	w.mu.Unlock()
	if len(todo.repairs) > 0 {
		w.call.repairAll(todo.repairs)
		w.free()
	}
	if todo.ended {
		w.end(missed)
	}
}

// tellFate closes over, if anybody waits for it, once nothing that is still to come can change what
// the fate comes to. mu is held.
func (w *writeRequest) tellFate() {
	if w.over == nil || w.m.Outcome() == quorum.Pending {
		return
	}
	if fate, _ := w.m.Fate(); w.ended || fate == quorum.Applied {
		close(w.over)
		w.over = nil
	}
}

// end is reached once, when the outcome is decided and no operation is under way. Owners that missed a write
// that others may have are told of.
func (w *writeRequest) end(missed quorum.Set) {
	w.release()
	if missed != 0 {
		w.call.c.counters.missed.Add(uint64(missed.Len()))
		if hooks := w.call.c.cfg.hooks.missed; len(hooks) > 0 {
			e := Missed{Tenant: w.call.tenant, Key: w.call.key, Dot: w.dot, Nodes: w.call.nodeIDs(missed)}
			for _, h := range hooks {
				h.OnMissed(e)
			}
		}
	}
	gate := w.call.c.gate
	w.free()
	gate.leave()
}

// free ends one use of the request.
func (w *writeRequest) free() {
	if w.users.Add(-1) > 0 {
		return
	}
	pool := &w.call.c.writes
	clear(w.ops)
	w.waiter.reset()
	w.causes.reset()
	w.call, w.m, w.work = call{}, quorum.Write{}, work{}
	w.over, w.flying, w.ended, w.pin = nil, 0, false, vclock.Pin{}
	pool.Put(w)
}

func (w *writeRequest) release() {
	if w.pin != (vclock.Pin{}) {
		w.call.c.memory.release(w.call.hash, w.pin)
	}
}

func (k *call) nodeIDs(set quorum.Set) []topology.NodeID {
	ids := make([]topology.NodeID, 0, set.Len())
	for i := range set.All {
		ids = append(ids, k.v.nodes[k.owners[i]].ID)
	}
	return ids
}

// wait sleeps until the outcome is decided or the caller stops waiting, at the latest when patience is over.
func (w *writeRequest) wait(now time.Time, patience time.Duration) {
	w.waiter.after(now, patience)
	if w.waiter.next(w.call.ctx.Done()) != decided {
		w.giveUp()
	}
	w.waiter.stop()
	w.letGo()
}

// giveUp withdraws what was not handed to a stream and ends the wait.
func (w *writeRequest) giveUp() {
	w.mu.Lock()
	if w.m.Outcome() == quorum.Pending { // else it was decided in the same instant
		w.follow(w.m.Cancel())
		w.withdraw((*replica.Conn).Withdraw)
	}
	w.unlock()
}

// letGo begins the tail. It withdraws what still waits for room at a node past its
// bound, since such waiters are bounded by the callers that wait with them, and
// gives what is under way the tail's time from here (promise P11).
func (w *writeRequest) letGo() {
	w.mu.Lock()
	w.withdraw((*replica.Conn).WithdrawWaiting)
	if end := w.tailFromHere(); end.Before(w.until) {
		for i := range w.flying.All {
			w.conn(i).Shorten(&w.ops[i], end)
		}
	}
	w.unlock()
}

// tailFromHere is when a tail that begins now ends, if that can matter.
func (w *writeRequest) tailFromHere() time.Time {
	if !w.long || w.flying == 0 {
		return w.until
	}
	return time.Now().Add(defaultTail)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// withdraw takes back what by can still take back. mu is held, and the outcome is decided.
func (w *writeRequest) withdraw(by func(*replica.Conn, *replica.Op) bool) {
	for i := range w.flying.All {
		why, ok := takeBack(w.conn(i), &w.ops[i], by)
		if !ok {
			continue
		}
		w.flying = w.flying.Without(i)
		w.causes.noteFirst(i, why)
		w.follow(w.m.Fail(i, quorum.NotSent))
	}
}

// verdict is the outcome as the caller gets it.
type verdict struct {
	err        error // nil when the write won
	outcome    error // ErrNotApplied or ErrUnknown with err
	acked      int
	context    vclock.Clock
	superseded bool
	later      vclock.Stamp
}

func (w *writeRequest) verdict() verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := verdict{
		acked: w.m.Acked().Len(), context: w.m.Context(),
		superseded: w.m.Superseded(), later: w.m.Later(),
	}
	if w.m.Outcome() == quorum.Won {
		return v
	}
	v.err, v.outcome = w.failureLocked(), ErrUnknown
	if w.m.NotApplied() {
		v.outcome = ErrNotApplied
	}
	return v
}

// failure is why the level was not reached, as far as is known by then.
func (w *writeRequest) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failureLocked()
}

func (w *writeRequest) failureLocked() error {
	needed, got, total := w.m.Needed()
	qe := w.call.quorumError(needed, got, total, &w.causes, w.m.Outstanding())
	if stopped := w.call.stopped(); stopped != nil {
		return &stoppedError{stopped: stopped, quorum: qe}
	}
	return qe
}
