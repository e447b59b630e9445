package pairdb

import (
	"context"
	"sync"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// readRequest drives one quorum.Read. Its locks are as writeRequest's.
type readRequest struct {
	call    call
	decided chan struct{}

	mu     sync.Mutex
	m      quorum.Read   // guarded by mu, as all below
	ops    []*replica.Op // under way
	causes causes
	work   work
	ended  bool

	repaired bool // the result's values are in a repair
}

// sendRead asks the owners and waits for the level.
func (k *call) sendRead(level Level, clockOnly bool, down, amnesiac quorum.Set) (*readRequest, error) {
	r := &readRequest{call: *k, decided: make(chan struct{})}
	r.call.level = level
	var order [quorum.MaxOwners]uint8
	err := r.m.Init(quorum.ReadParams{
		Owners:    quorum.Owners{Old: quorum.FirstN(len(k.owners))},
		Level:     level,
		Policy:    k.cfg.Policy,
		Order:     k.rank(order[:0]),
		ClockOnly: clockOnly,
		Down:      down,
		Amnesiac:  amnesiac,
	})
	if err != nil {
		return nil, levelError(k.op, level, len(k.owners))
	}
	k.c.gate.hold() // until the last operation has ended
	k.downCauses(&r.causes, down)
	r.mu.Lock()
	r.follow(r.m.Start())
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
		close(r.decided)
	}
}

func (r *readRequest) ask(set quorum.Set, kind storagepb.Kind) {
	for i := range set.All {
		if r.m.Outcome() == quorum.Lost {
			r.follow(r.m.Fail(i))
			continue
		}
		op := &replica.Op{
			Kind: kind, Tenant: r.call.tenant, Key: r.call.key, Policy: r.call.cfg.Policy,
			Deadline: r.call.deadline, Handler: r, Tag: uint32(i),
		}
		if err := r.conn(i).Send(op); err != nil {
			r.causes[i] = cause{err: withKind(err)}
			r.follow(r.m.Fail(i))
			continue
		}
		r.ops = append(r.ops, op)
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
	r.landed(op)
	if !ok {
		r.causes[i] = cause{err: explain(r.conn(i), &res, why), answered: res.Err == nil}
		r.follow(r.m.Fail(i))
	} else {
		if res.Amnesiac {
			r.causes[i] = cause{err: &kindError{kind: ErrUnavailable, err: errAmnesiac}, answered: true}
		}
		r.follow(r.m.Reply(i, quorum.Answer{
			State: res.State, Digest: res.Digest,
			IsDigest: op.Kind == storagepb.Kind_READ_DIGEST, Amnesiac: res.Amnesiac,
		}))
	}
	r.unlock()
}

func (r *readRequest) landed(op *replica.Op) {
	for i, o := range r.ops {
		if o == op {
			last := len(r.ops) - 1
			r.ops[i] = r.ops[last]
			r.ops = r.ops[:last]
			return
		}
	}
}

// unlock frees mu and then does what the steps left to do.
func (r *readRequest) unlock() {
	if !r.ended && r.m.Outcome() != quorum.Pending && len(r.ops) == 0 {
		r.ended, r.work.ended = true, true
	}
	todo := r.work.take(r.call.c)
	r.mu.Unlock()
	r.call.repairAll(todo.repairs)
	if todo.ended {
		r.call.c.gate.leave()
	}
}

// wait sleeps until the outcome is decided, asks on where an owner is late, and
// gives up when the caller does.
func (r *readRequest) wait() {
	select {
	case <-r.decided:
		r.withdraw((*replica.Conn).WithdrawWaiting)
		return
	default:
	}
	c := r.call.c
	c.hedges.earn()
	hedges := 0
	timer := time.NewTimer(r.patience(hedges))
	defer timer.Stop()
	for {
		select {
		case <-r.decided:
			r.withdraw((*replica.Conn).WithdrawWaiting)
			return
		case <-r.call.ctx.Done():
			r.giveUp()
			return
		case <-timer.C:
			if !time.Now().Before(r.call.deadline) {
				r.giveUp()
				return
			}
			r.hedge()
			hedges++
			timer.Reset(r.patience(hedges))
		}
	}
}

func (r *readRequest) giveUp() {
	r.mu.Lock()
	r.follow(r.m.Cancel())
	r.unlock()
	r.withdraw((*replica.Conn).Withdraw)
}

// withdraw takes back what by can still take back. The outcome is decided.
func (r *readRequest) withdraw(by func(*replica.Conn, *replica.Op) bool) {
	r.mu.Lock()
	for n := len(r.ops) - 1; n >= 0; n-- {
		op := r.ops[n]
		i := int(op.Tag)
		before := r.conn(i).Health()
		if by(r.conn(i), op) {
			r.landed(op)
			if r.causes[i].err == nil {
				r.causes[i] = withdrawn(before)
			}
			r.follow(r.m.Fail(i))
		}
	}
	r.unlock()
}

// result is what the read found, or why it found nothing. shared says that
// repairs send its values, or may when the answers that are outstanding have come.
func (r *readRequest) result() (state vclock.State, shared bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m.Outcome() == quorum.Won {
		return r.m.Result(), r.repaired || len(r.ops) > 0, nil
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
	if !time.Now().Before(k.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}
