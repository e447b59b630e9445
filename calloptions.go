package pairdb

import (
	"fmt"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/quorum"
)

// The options of a call go through its Option values by value: what an interface's method gets a pointer
// to is allocated, for every call.

// A ReadOption fits Get and GetMany.
type ReadOption interface {
	applyRead(readOptions) (readOptions, error)
}

// A WriteOption fits Put, Delete, PutMany and Item.
type WriteOption interface {
	applyWrite(writeOptions) (writeOptions, error)
}

// An UpdateOption fits Update.
type UpdateOption interface {
	applyUpdate(updateOptions) (updateOptions, error)
}

// A CallOption fits every kind of call.
type CallOption interface {
	ReadOption
	WriteOption
	UpdateOption
}

type readOptions struct {
	level   Level
	timeout time.Duration
	resolve Resolver
}

type writeOptions struct {
	level     Level
	timeout   time.Duration
	context   CausalContext
	after     bool // a context was given
	noContext bool
	ttl       time.Duration
	token     string // of the idempotency key; empty is none
}

type updateOptions struct {
	read  readOptions
	write writeOptions
}

// AtLevel sets the level of the call; for Update, of its read and of its write.
func AtLevel(l Level) CallOption { return levelOption(l) }

type levelOption Level

func (o levelOption) check() error {
	if Level(o) == quorum.Default || Level(o) > quorum.All {
		return &InputError{Field: "AtLevel", Reason: fmt.Sprintf("%v is no level", Level(o))}
	}
	return nil
}
func (o levelOption) applyRead(r readOptions) (readOptions, error) {
	r.level = Level(o)
	return r, o.check()
}
func (o levelOption) applyWrite(w writeOptions) (writeOptions, error) {
	w.level = Level(o)
	return w, o.check()
}
func (o levelOption) applyUpdate(u updateOptions) (updateOptions, error) {
	u.read.level, u.write.level = Level(o), Level(o)
	return u, o.check()
}

// Timeout bounds the call, besides its context. Default: WithTimeout's where
// the context has no deadline.
func Timeout(d time.Duration) CallOption { return timeoutOption(d) }

type timeoutOption time.Duration

func (o timeoutOption) check() error {
	if o <= 0 {
		return &InputError{Field: "Timeout", Reason: "must be more than zero"}
	}
	return nil
}
func (o timeoutOption) applyRead(r readOptions) (readOptions, error) {
	r.timeout = time.Duration(o)
	return r, o.check()
}
func (o timeoutOption) applyWrite(w writeOptions) (writeOptions, error) {
	err := o.set(&w)
	return w, err
}
func (o timeoutOption) set(w *writeOptions) error {
	w.timeout = time.Duration(o)
	return o.check()
}
func (o timeoutOption) applyUpdate(u updateOptions) (updateOptions, error) {
	u.write.timeout = time.Duration(o)
	return u, o.check()
}

// ReadUpdateOption fits Get, GetMany and Update.
type ReadUpdateOption interface {
	ReadOption
	UpdateOption
}

// ResolveWith sets how the call makes one value of conflicting siblings.
// Default: WithResolver's.
func ResolveWith(r Resolver) ReadUpdateOption { return resolveOption{r} }

type resolveOption struct{ r Resolver }

func (o resolveOption) applyRead(r readOptions) (readOptions, error) {
	if o.r == nil {
		return r, &InputError{Field: "ResolveWith", Reason: "nil"}
	}
	r.resolve = o.r
	return r, nil
}
func (o resolveOption) applyUpdate(u updateOptions) (_ updateOptions, err error) {
	u.read, err = o.applyRead(u.read)
	return u, err
}

// After makes the write replace just what the context covers, as Get or a
// Receipt gave it: one round trip, and concurrent writes survive as siblings. The
// zero context is an InputError: a lost context must not turn into an overwrite.
func After(c CausalContext) WriteOption { return afterOption{c} }

type afterOption struct{ c CausalContext }

func (o afterOption) applyWrite(w writeOptions) (writeOptions, error) {
	err := o.set(&w)
	return w, err
}

func (o afterOption) set(w *writeOptions) error {
	if o.c.IsZero() {
		return &InputError{Field: "After", Reason: "the context is zero: use the one from Get or a Receipt, or NoContext"}
	}
	if w.noContext {
		return errBothContexts
	}
	w.context, w.after = o.c, true
	return nil
}

// NoContext makes the write concurrent with everything: an insert, or one more
// sibling. It never replaces anything.
func NoContext() WriteOption { return noContextOption{} }

type noContextOption struct{}

func (o noContextOption) applyWrite(w writeOptions) (writeOptions, error) {
	err := o.set(&w)
	return w, err
}

func (noContextOption) set(w *writeOptions) error {
	if w.after {
		return errBothContexts
	}
	w.noContext = true
	return nil
}

var errBothContexts error = &InputError{Field: "After", Reason: "given together with NoContext"}

// WriteUpdateOption fits Put, Delete, PutMany, Item and Update.
type WriteUpdateOption interface {
	WriteOption
	UpdateOption
}

// WithTTL makes the value expire d from the start of the call, by this
// process's clock; readers judge by theirs. At least 1 ms. Expired values read as
// deleted and still take space.
func WithTTL(d time.Duration) WriteUpdateOption { return ttlOption(d) }

type ttlOption time.Duration

func (o ttlOption) applyWrite(w writeOptions) (writeOptions, error) {
	if time.Duration(o) < time.Millisecond {
		return w, &InputError{Field: "WithTTL", Reason: "must be at least 1 ms"}
	}
	w.ttl = time.Duration(o)
	return w, nil
}
func (o ttlOption) applyUpdate(u updateOptions) (_ updateOptions, err error) {
	u.write, err = o.applyWrite(u.write)
	return u, err
}

// WithIdempotencyKey makes the write take effect once, however often it is repeated
// under the same token: by this process, by another one at the same time, or by one that was started
// after a crash. The client must have been opened WithIdempotency.
//
// Repeat the request as it was: a call under the token with another operation,
// value, time to live or context (After, NoContext or neither) is ErrIdempotencyConflict. Of
// Update nothing but the key is compared, and its function is not called again once a write of
// what it gave was begun: that is what takes effect. (It is called again where it wrote nothing, or where
// no node has taken the write for so long that none will.) The level and the timeout may differ.
//
// ErrNotApplied and ErrUnknown speak of this call. After an ErrUnknown, call with the same token until a call
// succeeds: an ErrNotApplied of a later call does not say that the first one had no effect.
//
// The token is 1 to 255 bytes and counts for one key of one tenant: the same token with another
// key is another write. It is remembered for the store's time to live
// (IdempotencyTTL, default 24 h). idempotency.NewKey makes one; the id of the
// payment, or of the message that is being handled, is often a better one.
func WithIdempotencyKey(token string) WriteUpdateOption { return tokenOption(token) }

type tokenOption string

func (o tokenOption) applyWrite(w writeOptions) (writeOptions, error) {
	switch {
	case o == "":
		return w, &InputError{Field: "WithIdempotencyKey", Reason: "is empty: a lost key must not turn into a write without protection"}
	case len(o) > idempotency.MaxTokenBytes:
		return w, &InputError{Field: "WithIdempotencyKey", Reason: fmt.Sprintf("has %d bytes, at most %d are allowed", len(o), idempotency.MaxTokenBytes)}
	}
	w.token = string(o)
	return w, nil
}
func (o tokenOption) applyUpdate(u updateOptions) (_ updateOptions, err error) {
	u.write, err = o.applyWrite(u.write)
	return u, err
}
