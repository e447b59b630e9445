package pairdb

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// readRequest drives one quorum.Read. Its locks, and how it is used again, are as
// writeRequest's: its second user is whatever is still under way.
type readRequest struct {
	users   atomic.Int32
	waiter  chimeWaiter
	call    call
	ranking ranking

	mu     sync.Mutex
	m      quorum.Read  // guarded by mu, as all below
	ops    []replica.Op // by slot
	flying quorum.Set   // accepted by a connection and not complete
	causes causes
	work   work
	ended  bool
	now    time.Time // zero but at the start

	first    quorum.Set // asked at the start
	probing  quorum.Set // the probe that is under way
	told     bool       // overdue has been
	repaired bool       // the result's values are in a repair
}

// sendRead asks the owners and waits for the level. The caller frees the request.
func (k *call) sendRead(level Level, clockOnly bool, down, amnesiac quorum.Set) (*readRequest, error) {
	need, ok := level.Need(len(k.owners))
	if !ok {
		return nil, levelError(k.op, level, len(k.owners))
	}
	r := k.c.reads.Get().(*readRequest)
	r.users.Store(1)
	r.call = *k
	r.call.waits()
	r.call.level = level
	r.ops = slices.Grow(r.ops[:0], len(k.owners))[:len(k.owners)]
	r.ranking.rank(k, need, down|amnesiac)
	err := r.m.Init(quorum.ReadParams{
		Owners:    quorum.Owners{Old: quorum.FirstN(len(k.owners))},
		Level:     level,
		Policy:    k.cfg.Policy,
		Order:     r.ranking.order[:len(k.owners)],
		ClockOnly: clockOnly,
		Down:      down,
		Amnesiac:  amnesiac,
	})
	if err != nil {
		r.waiter.taken = true // nobody wakes it
		r.ranking.drop()
		r.free()
		return nil, levelError(k.op, level, len(k.owners))
	}
	r.users.Add(1)  // what is under way
	k.c.gate.hold() // until the last operation has ended
	k.downCauses(&r.causes, down)
	r.mu.Lock()
	r.now = r.ranking.asked
	r.follow(r.m.Start())
	r.now = time.Time{}
	r.first = r.flying
	r.probe()
	r.unlock()
	r.wait()
	return r, nil
}

// follow does what a step asks for. mu is held.
func (r *readRequest) follow(s quorum.Step) {
	if len(s.Repairs) > 0 {
		r.repaired = true
		r.work.repairs = append(r.work.repairs, s.Repairs...)
	}
	r.ask(s.State, storagepb.Kind_READ_STATE)
	r.ask(s.Digest, storagepb.Kind_READ_DIGEST)
	r.ask(s.Clock, storagepb.Kind_READ_CLOCK)
	if s.Done {
		r.waiter.wake()
	}
}

func (r *readRequest) ask(set quorum.Set, kind storagepb.Kind) {
	at := r.now
	if set != 0 && at.IsZero() {
		at = time.Now()
	}
	for i := range set.All {
		if r.m.Outcome() == quorum.Lost {
			r.follow(r.m.Fail(i))
			continue
		}
		r.ops[i] = replica.Op{
			Kind: kind, Tenant: r.call.tenant, Key: r.call.key, Policy: r.call.cfg.Policy,
			Deadline: r.call.deadline, Handler: r, Tag: uint32(i),
		}
		if err := r.conn(i).SendAt(&r.ops[i], at); err != nil {
			r.causes.note(i, cause{err: withKind(err)})
			r.follow(r.m.Fail(i))
			continue
		}
		r.flying = r.flying.With(i)
	}
}

func (r *readRequest) conn(i int) *replica.Conn {
	return r.call.v.nodes[r.call.owners[i]].conn
}

// Complete takes what became of one operation, on a connection's goroutine.
func (r *readRequest) Complete(op *replica.Op, res replica.Result) {
	i := int(op.Tag)
	_, why, ok := failureOf(&res)
	r.mu.Lock()
	r.flying = r.flying.Without(i)
	r.probeEnded(i, ok, res.Latency)
	if !ok {
		if errors.Is(res.Err, replica.ErrExpired) && res.Handed {
			r.conn(i).Overdue(res.Latency)
		}
		r.causes.note(i, cause{err: explain(r.conn(i), &res, why), answered: res.Err == nil})
		r.follow(r.m.Fail(i))
	} else {
		if res.Amnesiac {
			r.causes.note(i, cause{err: &kindError{kind: ErrUnavailable, err: errAmnesiac}, answered: true})
		}
		r.follow(r.m.Reply(i, quorum.Answer{
			State: res.State, Digest: res.Digest,
			IsDigest: op.Kind == storagepb.Kind_READ_DIGEST, Amnesiac: res.Amnesiac,
		}))
	}
	r.unlock()
}

// unlock frees mu and then does what the steps left to do.
func (r *readRequest) unlock() {
	if !r.ended && r.m.Outcome() != quorum.Pending && r.flying == 0 {
		r.ended, r.work.ended = true, true
	}
	todo := r.work.take(r.call.c)
	if len(todo.repairs) > 0 {
		r.users.Add(1)
	}
	r.mu.Unlock()
	if len(todo.repairs) > 0 {
		r.call.repairAll(todo.repairs)
		r.free()
	}
	if todo.ended {
		gate := r.call.c.gate
		r.free()
		gate.leave()
	}
}

// free ends one use of the request.
func (r *readRequest) free() {
	if r.users.Add(-1) > 0 {
		return
	}
	pool := &r.call.c.reads
	clear(r.ops)
	r.waiter.reset()
	r.causes.reset()
	r.call, r.ranking, r.m, r.work = call{}, ranking{}, quorum.Read{}, work{}
	r.flying, r.first, r.probing = 0, 0, 0
	r.ended, r.told, r.repaired = false, false, false
	pool.Put(r)
}

// wait sleeps until the outcome is decided, asks on where an owner is late, and
// gives up when the caller does.
func (r *readRequest) wait() {
	r.call.c.hedges.earn()
	done := r.call.ctx.Done()
	asked, left := r.ranking.asked, r.call.deadline.Sub(r.ranking.asked)
	defer r.waiter.stop()
	r.waiter.after(asked, min(r.ranking.patience, left))
	for hedging := false; ; hedging = true {
		switch r.waiter.next(done) {
		case decided:
			if hedging {
				r.overtaken(time.Since(asked))
			}
			r.withdraw((*replica.Conn).WithdrawWaiting)
			return
		case rang:
			now := time.Now()
			if waited := now.Sub(asked); waited < left {
				r.hedge(waited)
				r.waiter.after(now, min(again(waited), left-waited))
				continue
			}
		}
		r.giveUp()
		return
	}
}

func (r *readRequest) giveUp() {
	waited := time.Since(r.ranking.asked)
	r.mu.Lock()
	r.overdue(waited)
	r.follow(r.m.Cancel())
	r.unlock()
	r.withdraw((*replica.Conn).Withdraw)
}

// withdraw takes back what by can still take back. The outcome is decided.
func (r *readRequest) withdraw(by func(*replica.Conn, *replica.Op) bool) {
	r.mu.Lock()
	for i := range r.flying.All {
		why, ok := takeBack(r.conn(i), &r.ops[i], by)
		if !ok {
			continue
		}
		r.flying = r.flying.Without(i)
		r.probeEnded(i, false, 0)
		r.causes.noteFirst(i, why)
		r.follow(r.m.Fail(i))
	}
	r.unlock()
}

// result is what the read found, or why it found nothing. shared says that
// repairs send its values, or may when the answers that are outstanding have come.
func (r *readRequest) result() (state vclock.State, shared bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m.Outcome() == quorum.Won {
		return r.m.Result(), r.repaired || r.flying != 0, nil
	}
	needed, got, total := r.m.Needed()
	qe := r.call.quorumError(needed, got, total, &r.causes, r.m.Outstanding())
	if stopped := r.call.stopped(); stopped != nil {
		return vclock.State{}, false, &stoppedError{stopped: stopped, quorum: qe}
	}
	return vclock.State{}, false, qe
}

// stopped returns why the caller no longer waits, or nil.
func (k *call) stopped() error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	if !k.time().Before(k.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
