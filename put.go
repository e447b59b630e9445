package pairdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// Put stores a value. What it replaces depends on the options:
//
//	After(ctx)    just what the context covers; one round trip
//	NoContext()   nothing
//	neither       whatever was acknowledged before the call began; two round
//	              trips, the first to find out what that is
//
// In last-write-wins tenants a Put replaces every write with a smaller (stamp,
// actor), and After and NoContext are InputErrors.
//
// The value is copied: the caller may change it when Put returns. Cancelling
// ctx ends the wait; owners that were sent the write may still store it.
//
// Errors carry ErrNotApplied or ErrUnknown; see there.
func (t *Tenant) Put(ctx context.Context, key string, value []byte, opts ...WriteOption) (Receipt, error) {
	return t.write(ctx, opPut, key, value, opts, nil)
}

// Delete stores a tombstone, under the same rules as Put. Deleting an absent key is no
// error. Tombstones take space until they are collected.
func (t *Tenant) Delete(ctx context.Context, key string, opts ...WriteOption) (Receipt, error) {
	return t.write(ctx, opDelete, key, nil, opts, nil)
}

func (t *Tenant) write(ctx context.Context, op, key string, value []byte, opts, more []WriteOption) (Receipt, error) {
	o, err := newWriteOptions(opts, more)
	var k call
	began := k.begin(ctx, t, op, key, o.timeout)
	defer k.leave()
	if err == nil {
		err = began
	}
	if err != nil {
		return Receipt{}, k.end(err, ErrNotApplied)
	}
	r, outcome, err := k.put(value, op == opDelete, &o)
	return r, k.end(err, outcome)
}

// newWriteOptions applies the options. Those of a hot path are known to the compiler, so that the rest is not copied for each.
func newWriteOptions(opts, more []WriteOption) (o writeOptions, err error) {
	for _, list := range [2][]WriteOption{opts, more} {
		for _, opt := range list {
			switch opt := opt.(type) {
			case nil:
				err = &InputError{Field: "option", Reason: "nil"}
			case afterOption:
				err = opt.set(&o)
			case noContextOption:
				err = opt.set(&o)
			case timeoutOption:
				err = opt.set(&o)
			default:
				o, err = opt.applyWrite(o)
			}
			if err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

// put is a Put or a Delete within a call that was begun. With an error goes its outcome.
func (k *call) put(value []byte, tombstone bool, o *writeOptions) (r Receipt, outcome, err error) {
	if err := k.checkOptions(o, tombstone); err != nil {
		return r, ErrNotApplied, err
	}
	if o.token == "" { // else what is stored under the key comes first
		if err := k.admit(k.level, len(value)); err != nil {
			return r, ErrNotApplied, err
		}
	}
	sib, err := k.sibling(value, tombstone, o)
	if err != nil {
		return r, ErrNotApplied, err
	}
	if o.token == "" {
		return k.putSibling(sib, o)
	}
	return k.putOnce(sib, o)
}

// putOnce writes under an idempotency key. The call and the options that it holds on to are copies, since
// those of every write would otherwise have to be allocated.
func (k *call) putOnce(sib vclock.Sibling, given *writeOptions) (r Receipt, outcome, err error) {
	own, o := *k, *given
	defer func() { *k = own }() // what it has learnt is told when the call ends
	op := idempotency.Put
	if sib.Tombstone {
		op = idempotency.Delete
	}
	u, err := own.newOnce(op, sib.Value, &o)
	if err != nil {
		return r, ErrNotApplied, err
	}
	u.compose = func() (vclock.Sibling, vclock.Clock, error) {
		clock, err := own.covers(&o)
		return sib, clock, err
	}
	return u.run(own.readsClock(&o))
}

// putSibling writes without an idempotency key.
func (k *call) putSibling(sib vclock.Sibling, o *writeOptions) (r Receipt, outcome, err error) {
	if k.cfg.Policy == LastWriteWins {
		return k.putLast(sib)
	}
	return k.putCausal(sib, o)
}

// checkOptions refuses what does not go together, and sets the level.
func (k *call) checkOptions(o *writeOptions, tombstone bool) error {
	if tombstone && o.ttl != 0 {
		return &InputError{Field: "WithTTL", Reason: "a delete does not expire"}
	}
	if k.cfg.Policy == LastWriteWins && (o.after || o.noContext) {
		field := "After"
		if o.noContext {
			field = "NoContext"
		}
		return &InputError{Field: field, Reason: "last-write-wins tenants have no contexts"}
	}
	k.level = k.writeLevel(o.level)
	return k.checkLevel(k.level)
}

// sibling is what the write stores, without its dot. The value is copied.
func (k *call) sibling(value []byte, tombstone bool, o *writeOptions) (vclock.Sibling, error) {
	limit := k.c.cfg.limits.MaxValueBytes
	if l := k.cfg.MaxValueBytes; l > 0 {
		limit = min(limit, l)
	}
	if len(value) > limit {
		return vclock.Sibling{}, &InputError{Field: "value",
			Reason: fmt.Sprintf("has %d bytes, at most %d are allowed", len(value), limit)}
	}
	sib := vclock.Sibling{Value: bytes.Clone(value), Tombstone: tombstone}
	if o.ttl > 0 {
		sib.Expires = k.c.cfg.time().Add(o.ttl).UnixMilli()
	}
	return sib, nil
}

func (k *call) putCausal(sib vclock.Sibling, o *writeOptions) (r Receipt, outcome, err error) {
	clock, err := k.covers(o)
	if err != nil {
		return r, ErrNotApplied, err
	}
	down, amnesiac := k.v.unusable(k.owners)
	if err := k.reachable(k.level, down, amnesiac); err != nil {
		return r, ErrNotApplied, err
	}
	if err := k.stopped(); err != nil { // while the clock was read, or in Update's function
		return r, ErrNotApplied, err
	}
	dot, pin := k.mint(clock)
	sib.Dot = dot
	w, err := k.sendWrite(clock, sib, pin, down, amnesiac, nil)
	if err != nil {
		return r, ErrNotApplied, err
	}
	v := w.verdict()
	w.free()
	k.rounds++
	if v.err != nil {
		return r, v.outcome, v.err
	}
	return k.receipt(sib.Dot, v), nil, nil
}

// mint names a write that covers clock. The minter holds the key until the pin is released.
func (k *call) mint(clock vclock.Clock) (vclock.Dot, vclock.Pin) {
	c := k.c
	d, pin := c.memory.mint(k.keyHash(), clock, c.clock.nextAfter(clock.Newest(), k.time()))
	if c.cfg.rules.oneLane {
		d.Actor = c.actor
	}
	return d, pin
}

// readsClock reports whether covers has to ask the owners.
func (k *call) readsClock(o *writeOptions) bool {
	return k.cfg.Policy == Causal && !o.after && !o.noContext
}

// covers finds what the write is to replace.
func (k *call) covers(o *writeOptions) (vclock.Clock, error) {
	switch {
	case o.after:
		return k.given(o)
	case o.noContext, k.cfg.Policy == LastWriteWins:
		return nil, nil
	default:
		return k.clockRead(k.readLevel(0), k.level)
	}
}

// given is the clock of the context that the caller gave.
func (k *call) given(o *writeOptions) (vclock.Clock, error) {
	clock, err := o.context.Clock(k.scope())
	if errors.Is(err, vclock.ErrForeignContext) {
		return nil, &InputError{Field: "After", Reason: "the context is of another cluster, tenant or key"}
	} else if err != nil {
		return nil, &InputError{Field: "After", Reason: err.Error()}
	}
	return clock, nil
}

// putLast writes in a last-write-wins tenant. Where an acknowledgement shows a
// later stamp, the clock moves past it and the value is written once more under a
// later one; what still loses is a success marked Superseded.
func (k *call) putLast(sib vclock.Sibling) (r Receipt, outcome, err error) {
	for attempt := range 2 {
		down, amnesiac := k.v.unusable(k.owners)
		if err := k.reachable(k.level, down, amnesiac); err != nil {
			return k.lostLast(r, attempt, err)
		}
		if err := k.stopped(); err != nil {
			return k.lostLast(r, attempt, err)
		}
		sib.Dot = vclock.Dot{Actor: k.c.actor, Stamp: k.c.clock.next(k.time())}
		w, err := k.sendWrite(nil, sib, vclock.Pin{}, down, amnesiac, nil)
		if err != nil {
			return k.lostLast(r, attempt, err)
		}
		v := w.verdict()
		w.free()
		k.rounds++
		moved := k.c.clock.observe(v.later)
		if v.err != nil {
			if attempt > 0 && v.outcome == ErrNotApplied { //nolint:errorlint // the bare sentinel
				return k.lostLast(r, attempt, v.err)
			}
			return Receipt{}, v.outcome, v.err
		}
		r = k.receipt(sib.Dot, v)
		if !v.superseded || !moved {
			break
		}
	}
	return r, nil, nil
}

// lostLast ends a write whose last attempt had no effect: the first attempt, if there was one,
// stands as the success that it is, superseded.
func (k *call) lostLast(first Receipt, attempt int, err error) (Receipt, error, error) {
	if attempt > 0 {
		return first, nil, nil
	}
	return Receipt{}, ErrNotApplied, err
}

func (k *call) receipt(dot Dot, v verdict) Receipt {
	r := Receipt{
		Dot: dot, Acked: v.acked, Owners: len(k.owners), RoundTrips: k.rounds, Superseded: v.superseded,
	}
	if k.cfg.Policy == Causal {
		r.Context = vclock.NewContext(k.scope(), v.context)
	}
	return r
}
