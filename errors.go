package pairdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/topology"
)

// The two outcomes of a write that did not succeed. Exactly one of them holds,
// by errors.Is, for every error that Put, Delete, Update and PutMany return;
// errors of reads carry neither.
var (
	// ErrNotApplied: the write has not happened and never will. Trying again is safe.
	// Under an idempotency key that is said of this call alone: another call with the key
	// may have applied the write, or may yet. After an ErrUnknown it settles nothing: call
	// until one succeeds.
	ErrNotApplied = errors.New("the write was not applied")
	// ErrUnknown: the write may be visible at once, later, or never. With an
	// idempotency key, call again with the same key. Without one, read the
	// key before you decide; writing again may leave a second effect.
	ErrUnknown = errors.New("the write may or may not have been applied")
)

// What went wrong, for errors.Is.
var (
	// ErrNotFound: the key is absent, deleted or expired. The Object that comes
	// with it still carries the context.
	ErrNotFound = errors.New("pairdb: not found")
	// ErrConflict: RefuseConflicts met several live siblings; they are in the Object.
	ErrConflict = errors.New("the key has conflicting siblings")
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("the client is closed")
	// ErrInvalid: the input was refused before anything was sent, or a node refused
	// it for its own limits. See InputError for the field.
	ErrInvalid = errors.New("invalid input")
	// ErrUnavailable: too few owners could be reached for the level.
	ErrUnavailable = errors.New("too few owners reachable")
	// ErrOverloaded: a node, or this client, has more in hand than its bound. Try again after a growing, random
	// pause, or shed load further up. OverloadError says more where the call was refused before anything was sent.
	ErrOverloaded = errors.New("overloaded")
	// ErrClockSkew: a node refused the write because its stamp or its context is too
	// far from the node's clock. Mend the clocks (NTP) of this host and of the node.
	ErrClockSkew = errors.New("clocks disagree")
	// ErrTooManySiblings: the write would leave more siblings than a node keeps.
	// Read the key and write with the context that Get returned.
	ErrTooManySiblings = errors.New("too many siblings")
	// ErrUnknownTenant: the tenant reader has no such tenant.
	ErrUnknownTenant = errors.New("unknown tenant")
	// ErrIdempotencyConflict: the idempotency key was used for another request. Nothing
	// has changed. Use a fresh key for each request, and repeat a request as it was.
	ErrIdempotencyConflict = errors.New("the idempotency key is of another request")
)

// InputError says which argument or option was refused, before anything was
// sent. It is ErrInvalid.
type InputError struct {
	Field  string // as the caller wrote it: "key", "value", "WithTTL"
	Reason string
}

func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

// Is reports whether target is ErrInvalid.
func (e *InputError) Is(target error) bool { return target == ErrInvalid }

// QuorumError says that too few owners answered for the level. Unwrap gives
// the cause of each replica that failed (*ReplicaError).
type QuorumError struct {
	Op     string // "get", "put", "delete", "update"
	Level  Level
	Needed int // owners that had to answer
	Got    int // owners that did
	Total  int // owners in all

	causes []error
	unsent bool // nothing was sent: too few can be reached
}

func (e *QuorumError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "level %v needs %d of %d owners, ", e.Level, e.Needed, e.Total)
	if e.unsent {
		fmt.Fprintf(&b, "only %d can be reached", e.Total-len(e.causes))
	} else {
		fmt.Fprintf(&b, "got %d", e.Got)
	}
	for i, cause := range e.causes {
		sep := "; "
		if i == 0 {
			sep = ": "
		}
		b.WriteString(sep)
		b.WriteString(cause.Error())
	}
	return b.String()
}

// Unwrap returns the causes, one per replica that failed, in preference order.
func (e *QuorumError) Unwrap() []error { return e.causes }

// Is reports whether target is ErrUnavailable, which holds unless every cause
// is of another kind (bad input, clocks, siblings, overload).
func (e *QuorumError) Is(target error) bool {
	if target != ErrUnavailable {
		return false
	}
	for _, cause := range e.causes {
		if !errors.Is(cause, ErrInvalid) && !errors.Is(cause, ErrClockSkew) &&
			!errors.Is(cause, ErrTooManySiblings) && !errors.Is(cause, ErrOverloaded) {
			return true
		}
	}
	return len(e.causes) == 0
}

// ReplicaError is one owner's part in a failed request.
type ReplicaError struct {
	Node     topology.NodeID
	Addr     string
	Err      error
	Answered bool // the node said so itself; otherwise the connection did
}

func (e *ReplicaError) Error() string {
	return fmt.Sprintf("%s (%s): %s", e.Node, e.Addr, detail(e.Err))
}

func (e *ReplicaError) Unwrap() error { return e.Err }

// detail is err's text without the node that a connection's errors name, for
// those who have named it already.
func detail(err error) string {
	type detailed interface {
		error
		Detail() string
	}
	if d, ok := errors.AsType[detailed](err); ok {
		return d.Detail()
	}
	return err.Error()
}

// Retryable reports whether the cause passes by itself and the same call is
// safe to repeat: a read that found too few owners, an overloaded or closing node, a
// timeout; a write only if it was not applied. It is false for nil, for bad
// input, for a context that the caller cancelled, and for ErrUnknown.
func Retryable(err error) bool {
	switch {
	case err == nil, errors.Is(err, ErrUnknown), errors.Is(err, ErrClosed), errors.Is(err, context.Canceled):
		return false
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrOverloaded), errors.Is(err, context.DeadlineExceeded):
		return true
	default:
		return false
	}
}

// requestError adds what was being done, and for a write which outcome it had.
type requestError struct {
	op      string
	tenant  string
	key     string
	outcome error // nil, ErrNotApplied or ErrUnknown
	cause   error
}

func (e *requestError) Error() string {
	s := fmt.Sprintf("pairdb: %s %s/%q: %v", e.op, shownTenant(e.tenant), shorten(e.key), e.cause)
	if e.outcome != nil {
		s += " (" + e.outcome.Error() + ")"
	}
	return s
}

// Is reports whether target is the outcome, without the slice that Unwrap makes: every failed write is asked.
func (e *requestError) Is(target error) bool { return e.outcome != nil && target == e.outcome }

func (e *requestError) Unwrap() []error {
	if e.outcome == nil {
		return []error{e.cause}
	}
	return []error{e.outcome, e.cause}
}

// foreignError is an error of the caller's own functions (a resolver, Update's, a codec, a
// tenant reader). It may hold the outcome of another write, which is not this
// one's.
type foreignError struct{ err error }

func (e foreignError) Error() string { return e.err.Error() }

// Is reports what the error is, the outcomes of other writes left out.
func (e foreignError) Is(target error) bool {
	return target != ErrNotApplied && target != ErrUnknown && errors.Is(e.err, target)
}

// As finds types in the error.
func (e foreignError) As(target any) bool { return errors.As(e.err, target) }

// shownTenant is the id as errors show it: what is no id may have any length and bytes.
func shownTenant(id string) string {
	if checkTenant(id) == nil {
		return id
	}
	quoted := strconv.Quote(shorten(id))
	return quoted[1 : len(quoted)-1]
}

// shorten keeps an error readable when the key is long.
func shorten(key string) string {
	const most = 64
	if len(key) <= most {
		return key
	}
	return key[:most] + "…"
}

// levelError turns a level that N owners cannot give into the caller's field.
func levelError(op string, l quorum.Level, n int) error {
	return &InputError{
		Field:  "level",
		Reason: fmt.Sprintf("%v cannot be had of %d owners (%s)", l, n, op),
	}
}
