package pairdb

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
)

// errNoAnswer stands for an owner that had not answered when the request was decided.
var errNoAnswer = errors.New("no answer yet")

// failureOf says what a result that is no answer means for an attempt. ok is
// true for an answer that can be used; then the others mean nothing.
func failureOf(r *replica.Result) (f quorum.Failure, cause error, ok bool) {
	if r.Err != nil {
		f = quorum.NotSent
		if r.Handed {
			f = quorum.Unanswered
		}
		return f, withKind(r.Err), false
	}
	switch r.Status {
	case storagepb.Status_OK:
		return 0, nil, true
	case storagepb.Status_FAILED, storagepb.Status_STATUS_UNSPECIFIED:
		f = quorum.Unanswered
	case storagepb.Status_TOO_OLD:
		f = quorum.TooOld
		if r.Seen { // an earlier attempt with this dot was applied
			f = quorum.TooOldSeen
		}
	default:
		f = quorum.Refused
		if _, known := storagepb.Status_name[int32(r.Status)]; !known {
			f = quorum.Unanswered
		}
	}
	return f, statusError(r.Status, r.Detail), false
}

// withKind adds the sentinel that a connection's error stands for.
func withKind(err error) error {
	kind := ErrUnavailable
	switch {
	case errors.Is(err, replica.ErrOverloaded):
		kind = ErrOverloaded
	case errors.Is(err, replica.ErrInvalid):
		kind = ErrInvalid
	}
	return &kindError{kind: kind, err: err}
}

var (
	errWithdrawn    = errors.New("withdrawn before it was sent")
	errNotConnected = errors.New("not connected yet")
)

// takeBack withdraws op by way of by, if that can still be, and says why it had not been
// sent: by how the connection stood before, since op is no longer among those that wait.
func takeBack(c *replica.Conn, op *replica.Op, by func(*replica.Conn, *replica.Op) bool) (why cause, ok bool) {
	state, _ := c.Standing()
	waiting := c.HasWaiting()
	if !by(c, op) {
		return cause{}, false
	}
	switch {
	case state == replica.Connecting:
		return cause{err: &kindError{kind: ErrUnavailable, err: errNotConnected}}, true
	case waiting:
		return cause{err: &kindError{kind: ErrOverloaded, err: errWithdrawn}}, true
	default:
		return cause{err: &kindError{kind: ErrUnavailable, err: errWithdrawn}}, true
	}
}

// kindError is err, and by errors.Is also kind, without saying kind's text.
type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// refusals are what a node's statuses stand for: in short where the node gave the
// details, else whole.
var refusals = map[storagepb.Status]struct {
	kind         error
	short, whole string
}{
	storagepb.Status_EXPIRED:           {ErrUnavailable, "", "the deadline passed before the node got to it"},
	storagepb.Status_STOPPING:          {ErrUnavailable, "", "the node is stopping"},
	storagepb.Status_OVERLOADED:        {ErrOverloaded, "", "the node is overloaded"},
	storagepb.Status_DISK:              {ErrUnavailable, "", "the node's disk is full or damaged"},
	storagepb.Status_INVALID:           {ErrInvalid, "", "refused as invalid"},
	storagepb.Status_TOO_LARGE:         {ErrInvalid, "too large", "the value is larger than the node takes"},
	storagepb.Status_POLICY:            {ErrInvalid, "", "the stored key has another conflict policy"},
	storagepb.Status_TOO_MANY_SIBLINGS: {ErrTooManySiblings, "", "too many siblings: write with the context that Get returns"},
	storagepb.Status_TOO_FAR_AHEAD:     {ErrClockSkew, "clocks disagree", "the stamp is too far ahead of the node's clock"},
	storagepb.Status_TOO_OLD:           {ErrClockSkew, "clocks disagree", "the stamp is older than the node's write window"},
	storagepb.Status_FAILED:            {ErrUnavailable, "", "the node failed while it worked on it"},
	storagepb.Status_EPOCH:             {ErrUnavailable, "", "the node has another topology epoch"},
}

// statusError is what a node's refusal reads like.
func statusError(s storagepb.Status, detail string) error {
	r, known := refusals[s]
	if !known {
		r.kind, r.whole = ErrUnavailable, fmt.Sprintf("status %v", s)
	}
	text := r.whole
	if detail != "" {
		text = cmp.Or(r.short, r.whole) + ": " + detail
	}
	return &kindError{kind: r.kind, err: errors.New(text)}
}

// explain tells apart, among operations that expired before they were sent, those that had
// no connection to be sent on.
func explain(c *replica.Conn, r *replica.Result, why error) error {
	if !r.Handed && errors.Is(r.Err, replica.ErrExpired) {
		if state, _ := c.Standing(); state == replica.Connecting {
			return &kindError{kind: ErrUnavailable, err: errNotConnected}
		}
	}
	return why
}

// causes are what each owner failed with, by replica slot.
type causes struct {
	of  [quorum.MaxOwners]cause
	any bool
}

func (cs *causes) note(i int, c cause) { cs.of[i], cs.any = c, true }

// noteFirst notes c unless there is a cause already.
func (cs *causes) noteFirst(i int, c cause) {
	if cs.of[i].err == nil {
		cs.note(i, c)
	}
}

// reset forgets all, of which there rarely is anything.
func (cs *causes) reset() {
	if cs.any {
		*cs = causes{}
	}
}

type cause struct {
	err      error
	answered bool
}

// quorumError says why too few owners answered; missing are those that have
// neither answered nor failed.
func (k *call) quorumError(needed, got, total int, cs *causes, missing quorum.Set) *QuorumError {
	e := &QuorumError{Op: k.op, Level: k.level, Needed: needed, Got: got, Total: total}
	for i, o := range k.owners {
		c := cs.of[i]
		n := k.v.nodes[o]
		if c.err == nil && missing.Has(i) {
			c.err = &kindError{kind: ErrUnavailable, err: errNoAnswer}
			if state, _ := n.conn.Standing(); state == replica.Connecting {
				c.err = &kindError{kind: ErrUnavailable, err: errNotConnected}
			}
		}
		if c.err == nil {
			continue
		}
		e.causes = append(e.causes, &ReplicaError{Node: n.ID, Addr: n.Addr, Err: c.err, Answered: c.answered})
	}
	return e
}

// downCauses notes why the owners in down cannot be sent anything.
func (k *call) downCauses(cs *causes, down quorum.Set) {
	for i := range down.All {
		err := k.v.nodes[k.owners[i]].conn.Health().Err
		if err == nil {
			err = replica.ErrDown
		}
		cs.note(i, cause{err: withKind(err)})
	}
}

// stoppedError is a request that ended because its caller stopped waiting.
type stoppedError struct {
	stopped error // the context's error
	quorum  *QuorumError
}

func (e *stoppedError) Error() string   { return e.stopped.Error() + ": " + e.quorum.Error() }
func (e *stoppedError) Unwrap() []error { return []error{e.stopped, e.quorum} }

var errAmnesiac = errors.New("the node has lost its store; accept its new store id in the topology once it is rebuilt")

// reachable refuses a request that cannot reach its level with the owners that
// are known to be up, before anything is sent.
func (k *call) reachable(l Level, down, amnesiac quorum.Set) error {
	total := len(k.owners)
	need, _ := l.Need(total)
	usable := total - (down | amnesiac).Len()
	if usable >= need {
		return nil
	}
	var cs causes
	for i := range amnesiac.All {
		cs.note(i, cause{err: &kindError{kind: ErrUnavailable, err: errAmnesiac}})
	}
	k.downCauses(&cs, down)
	e := k.quorumError(need, 0, total, &cs, 0)
	e.unsent = true
	return e
}
