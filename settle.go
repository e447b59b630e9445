package pairdb

import (
	"sync"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// settleRequest drives one quorum.Settle: it reads the states of those owners that have
// seen a write, and sends their join to all as what nodes have held on disk. Its locks are as
// writeRequest's.
type settleRequest struct {
	call     call
	decided  chan struct{}
	patience time.Time // until when holders are waited for
	until    time.Time // when the tail ends

	mu     sync.Mutex
	m      quorum.Settle // guarded by mu, as all below
	reads  []*replica.Op // by slot, as merges
	merges []*replica.Op
	flying quorum.Set // accepted by a connection and not complete
	causes causes
	ended  bool
}

// settle brings the effect of the write that dot names to the level.
func (k *call) settle(dot vclock.Dot, holders quorum.Set) (idempotency.Result, error) {
	down, amnesiac := k.v.unusable(k.owners)
	s := &settleRequest{
		call: *k, decided: make(chan struct{}), until: later(k.deadline, time.Now().Add(defaultTail)),
		// One holder's state is enough, so one that is late must not take the merge's time too.
		patience: time.Now().Add(time.Until(k.deadline) / 2),
		reads:    make([]*replica.Op, len(k.owners)), merges: make([]*replica.Op, len(k.owners)),
	}
	err := s.m.Init(quorum.SettleParams{
		Owners: quorum.Owners{Old: quorum.FirstN(len(k.owners))}, Level: k.level, Policy: k.cfg.Policy,
		Dot: dot, Holders: holders, Down: down, Amnesiac: amnesiac,
	})
	if err != nil {
		return idempotency.Result{}, levelError(k.op, k.level, len(k.owners))
	}
	k.rounds += 2
	k.c.gate.hold() // until the last operation has ended
	k.downCauses(&s.causes, down)
	s.mu.Lock()
	s.follow(s.m.Start())
	s.unlock()
	s.wait()
	return s.result()
}

// follow does what a step asks for. mu is held.
func (s *settleRequest) follow(step quorum.Step) {
	for i := range step.State.All {
		s.send(i, s.reads, replica.Op{Kind: storagepb.Kind_READ_STATE, Deadline: s.patience})
	}
	for i := range step.Merge.All {
		s.send(i, s.merges, replica.Op{
			Kind: storagepb.Kind_MERGE, Origin: storagepb.Origin_NODE, State: s.m.State(), Deadline: s.until,
		})
	}
	if step.Done {
		close(s.decided)
	}
}

// send hands one operation to owner i. mu is held.
func (s *settleRequest) send(i int, ops []*replica.Op, op replica.Op) {
	op.Tenant, op.Key, op.Policy = s.call.tenant, s.call.key, s.call.cfg.Policy
	op.Handler, op.Tag = s, uint32(i)
	ops[i] = &op
	if err := s.conn(i).Send(ops[i]); err != nil {
		s.causes.note(i, cause{err: withKind(err)})
		s.follow(s.m.Fail(i, quorum.NotSent))
		return
	}
	s.flying = s.flying.With(i)
}

func (s *settleRequest) conn(i int) *replica.Conn { return s.call.v.nodes[s.call.owners[i]].conn }

// Complete takes what became of one operation, on a connection's goroutine.
func (s *settleRequest) Complete(op *replica.Op, r replica.Result) {
	i := int(op.Tag)
	failure, why, ok := failureOf(&r)
	s.mu.Lock()
	s.flying = s.flying.Without(i)
	if ok {
		if r.Amnesiac {
			s.causes.note(i, cause{err: &kindError{kind: ErrUnavailable, err: errAmnesiac}, answered: true})
		}
		s.follow(s.m.Reply(i, quorum.SettleAnswer{State: r.State, Amnesiac: r.Amnesiac}))
	} else {
		s.causes.note(i, cause{err: explain(s.conn(i), &r, why), answered: r.Err == nil})
		s.follow(s.m.Fail(i, failure))
	}
	s.unlock()
}

// unlock frees mu; with the last operation the request has ended.
func (s *settleRequest) unlock() {
	end := !s.ended && s.m.Outcome() != quorum.Pending && s.flying == 0
	s.ended = s.ended || end
	s.mu.Unlock()
	if end {
		s.call.c.gate.leave()
	}
}

// wait sleeps until the outcome is decided or the caller stops waiting.
func (s *settleRequest) wait() {
	s.call.await(s.decided)
	s.mu.Lock()
	s.follow(s.m.Cancel()) // nothing, where it is decided
	s.letGo()
	s.unlock()
}

// letGo takes back what still waits for room; the rest has the tail's time from here
// (promise P11). mu is held.
func (s *settleRequest) letGo() {
	end := time.Now().Add(defaultTail)
	for i := range s.flying.All {
		op := s.merges[i]
		if op == nil {
			op = s.reads[i]
		}
		why, ok := takeBack(s.conn(i), op, (*replica.Conn).WithdrawWaiting)
		if !ok {
			s.conn(i).Shorten(op, end)
			continue
		}
		s.flying = s.flying.Without(i)
		s.causes.noteFirst(i, why)
		s.follow(s.m.Fail(i, quorum.NotSent))
	}
}

func (s *settleRequest) result() (idempotency.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call.c.clock.observe(s.m.Later())
	needed, got, total := s.m.Needed()
	if s.m.Outcome() == quorum.Won {
		return idempotency.Result{Acked: s.m.Acked().Len(), Owners: total, Superseded: s.m.Superseded()}, nil
	}
	qe := s.call.quorumError(needed, got, total, &s.causes, s.m.Outstanding())
	if stopped := s.call.stopped(); stopped != nil {
		return idempotency.Result{}, &stoppedError{stopped: stopped, quorum: qe}
	}
	return idempotency.Result{}, qe
}
