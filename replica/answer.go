package replica

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// An answered is an operation that has left the Conn, with the answer to tell its handler.
type answered struct {
	op      *Op
	answer  *wire.Answer
	latency time.Duration
}

// read takes a stream's answers until the link is cut.
func (l *link) read(s stream) {
	var done []answered
	var reads []time.Duration
	var in wire.AnswersFrame
	for {
		if err := s.receive(&in); err != nil {
			cause := l.cause(err)
			l.awaitOtherStream()
			l.conn.goDown(l, cause)
			return
		}
		var amnesiac, current bool
		if done, amnesiac, current = l.conn.match(l, in.Answers, done[:0]); !current {
			return
		}
		reads = reads[:0]
		for _, d := range done {
			if d.op.Kind != storagepb.Kind_MERGE && d.answer.Status == storagepb.Status_OK {
				reads = append(reads, d.latency)
			}
		}
		l.conn.reads.offer(l.conn.heard.Load(), reads)
		for _, d := range done {
			r := resultOf(d.answer, d.op)
			r.Handed, r.Amnesiac, r.Latency = true, amnesiac, d.latency
			d.op.Handler.Complete(d.op, r)
		}
		clear(done)
	}
}

// awaitOtherStream lets what has arrived on the other stream be taken before the
// link goes down: a node that stops in good order ends both right after its
// last answer, which would count as lost if the empty stream's end were seen first.
func (l *link) awaitOtherStream() {
	if l.reading.Add(-1) == 0 {
		close(l.bothRead)
		return
	}
	timer := time.NewTimer(goodbyeLimit)
	defer timer.Stop()
	select {
	case <-l.bothRead:
	case <-l.broken:
	case <-l.ctx.Done():
	case <-timer.C:
	}
}

// match finds the operations that the answers are for and takes them out. Answers
// to operations that are gone (expired) find none. If l is no longer the link,
// its operations were completed already, and current is false.
func (c *Conn) match(l *link, answers []wire.Answer, done []answered) (_ []answered, amnesiac, current bool) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.link != l {
		return done, false, false
	}
	c.heard.Store(now)
	c.owedSince = 0
	for i := range answers {
		a := &answers[i]
		op := c.slots.get(a.Id)
		if op == nil {
			continue
		}
		c.takeOut(op)
		done = append(done, answered{op: op, answer: a, latency: time.Duration(now - op.accepted)})
	}
	c.answered.Add(uint64(len(done)))
	c.small.admit()
	c.bulk.admit()
	c.settle()
	return done, l.store != c.store, true
}

// resultOf turns an answer into a Result.
func resultOf(a *wire.Answer, op *Op) Result {
	state, err := stateOf(a, op)
	if err != nil {
		return Result{Err: fmt.Errorf("%w: %w", ErrMalformed, err)}
	}
	return Result{Status: a.Status, Detail: a.Detail, State: state, Digest: a.Digest, Live: a.Live, Seen: a.Seen}
}

var errNotSuperseded = errors.New("the write is said to be superseded by a state that does not cover it")

// stateOf is the state that an answer carries, if it may. A clock alone answers a
// clock read or a merge; taken for a whole state, it would say that all which it covers
// was deleted.
func stateOf(a *wire.Answer, op *Op) (vclock.State, error) {
	if a.Status != storagepb.Status_OK || op.Kind == storagepb.Kind_READ_DIGEST {
		return vclock.State{}, nil
	}
	state, err := a.State, error(nil)
	switch {
	case a.Columns:
		return vclock.State{}, wire.ErrColumns
	case len(state.Siblings) == 0 && op.Kind != storagepb.Kind_READ_STATE:
		err = state.Clock.Validate()
	case op.Kind == storagepb.Kind_READ_CLOCK && op.Policy == vclock.Causal:
		err = state.Clock.Validate()
		state.Siblings = nil
	default:
		err = state.Validate(op.Policy)
	}
	if err == nil && op.Kind == storagepb.Kind_MERGE && !a.Live && len(op.State.Siblings) == 1 &&
		!state.Covers(op.Policy, op.State.Siblings[0].Dot) {
		err = errNotSuperseded
	}
	return state, err
}
