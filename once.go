package pairdb

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// once is a write under an idempotency key; package idempotency describes the protocol.
//
//	look       only where composing costs a read: is there a record?
//	compose    the value and what it covers; from here the call has a dot, one for all its steps
//	begin      the record is ours: send it, complete it
//	           it is another's: finished → its receipt; unfinished → replay it
//	replay     the very dot and context of the record, to all owners
//	           acknowledged → complete it; too old everywhere and seen nowhere → replace it by ours;
//	           too old and seen somewhere → settle it; else ErrUnknown
//
// Nothing waits for another process, and whoever stops leaves a record that anybody can go on with.
type once struct {
	k     *call
	cfg   *onceConfig
	key   idempotency.Key
	op    idempotency.Op
	print idempotency.Fingerprint

	// compose returns the sibling, without its dot, and the clock that it covers. It is called
	// at most once.
	compose func() (vclock.Sibling, vclock.Clock, error)
	intent  *idempotency.Intent // set when composed
	covers  vclock.Clock        // the intent's context, without its own dot
	pin     vclock.Pin          // by which the minter holds the key for the intent
}

// maxTurns bounds how often one call meets an intent of others that it must replace.
const maxTurns = 8

// newOnce makes the write's key and fingerprint of what is asked for. The write holds on to k.
func (k *call) newOnce(op idempotency.Op, value []byte, o *writeOptions) (*once, error) {
	cfg := &k.c.cfg.once
	if cfg.store == nil {
		return nil, &InputError{Field: "WithIdempotencyKey", Reason: "the client was opened without WithIdempotency"}
	}
	k.waits() // for the store
	u := &once{k: k, cfg: cfg, op: op, key: idempotency.Key{
		Cluster: k.v.topo.Cluster, Tenant: k.tenant, Key: k.key, Token: o.token,
	}}
	r := idempotency.Request{Op: op, Cluster: u.key.Cluster, Tenant: k.tenant, Key: k.key, Value: value, TTL: o.ttl}
	switch {
	case o.after:
		clock, err := k.given(o)
		if err != nil {
			return nil, err
		}
		r.Context, r.Clock = idempotency.ExplicitContext, clock
	case o.noContext:
		r.Context = idempotency.EmptyContext
	}
	u.print = idempotency.FingerprintOf(r)
	return u, nil
}

// checkLimits refuses what the owners, as far as they have told, would never take, so that it leaves
// no record which nobody can finish; and a time to live that outlasts what they keep.
func (u *once) checkLimits(sib *vclock.Sibling) error {
	for _, o := range u.k.owners {
		n := u.k.v.nodes[o]
		l := n.conn.Health().Limits
		if most := int(l.GetMaxValueBytes()); most > 0 && len(sib.Value) > most {
			return &InputError{Field: "value", Reason: fmt.Sprintf("has %d bytes, node %s takes at most %d", len(sib.Value), n.ID, most)}
		}
		if l.GetRetentionMs() == 0 {
			continue // not connected yet, or a node that does not tell
		}
		spare := 2 * (l.GetWindowMs() + l.GetSkewMs())
		if most := l.GetRetentionMs() - min(spare, l.GetRetentionMs()); uint64(u.cfg.ttl.Milliseconds()) > most {
			return &InputError{Field: "IdempotencyTTL", Reason: fmt.Sprintf(
				"%v is longer than node %s's retention of %v allows: at most %v", u.cfg.ttl, n.ID,
				milliseconds(l.GetRetentionMs()), milliseconds(most))}
		}
	}
	return nil
}

func milliseconds(ms uint64) time.Duration { return time.Duration(ms) * time.Millisecond } //nolint:gosec // a node's own setting

// run does the write. look is whether composing costs a read, so that the record is looked for first.
func (u *once) run(look bool) (r Receipt, outcome, err error) {
	defer u.unpin()
	if look {
		rec, found, err := u.lookup()
		if err != nil {
			return u.withoutStore(err)
		}
		if found {
			return u.meet(rec)
		}
	}
	if err := u.prepare(); err != nil {
		return Receipt{}, ErrNotApplied, err
	}
	rec, mine, err := u.begin()
	if err != nil {
		return u.withoutStore(err)
	}
	if mine {
		return u.own(rec)
	}
	return u.meet(rec)
}

// prepare composes the write and names it, once.
func (u *once) prepare() error {
	if u.intent != nil {
		return nil
	}
	k := u.k
	if err := k.admit(k.level, 0); err != nil {
		return err
	}
	sib, clock, err := u.compose()
	if err != nil {
		return err
	}
	if err := u.checkLimits(&sib); err != nil {
		return err
	}
	if err := k.stopped(); err != nil {
		return err
	}
	if k.cfg.Policy == LastWriteWins {
		sib.Dot = vclock.Dot{Actor: k.c.actor, Stamp: k.c.clock.next(k.time())}
	} else {
		sib.Dot, u.pin = k.mint(clock)
	}
	u.covers = clock
	u.intent = &idempotency.Intent{
		Fingerprint: u.print, Op: u.op, Policy: k.cfg.Policy,
		State: vclock.WriteState(k.cfg.Policy, clock, sib),
	}
	return nil
}

func (u *once) unpin() {
	if u.pin != (vclock.Pin{}) {
		u.k.c.memory.release(u.k.hash, u.pin)
		u.pin = vclock.Pin{}
	}
}

// own sends the intent that the store has recorded for this call.
func (u *once) own(rec idempotency.Record) (r Receipt, outcome, err error) {
	if rec.Done { // another call has met it meanwhile
		return u.duplicate(rec)
	}
	if r, outcome, err = u.send(); err == nil {
		u.complete(u.intent, r)
	}
	return r, outcome, err
}

// send sends this call's own intent.
func (u *once) send() (r Receipt, outcome, err error) {
	k := u.k
	down, amnesiac := k.v.unusable(k.owners)
	if err := k.reachable(k.level, down, amnesiac); err != nil {
		return Receipt{}, ErrNotApplied, err
	}
	if err := k.stopped(); err != nil {
		return Receipt{}, ErrNotApplied, err
	}
	pin := u.pin
	u.pin = vclock.Pin{} // the request's from here on
	sib := u.intent.State.Siblings[0]
	w, err := k.sendWrite(u.covers, sib, pin, down, amnesiac, nil)
	if err != nil {
		return Receipt{}, ErrNotApplied, err
	}
	v := w.verdict()
	w.free()
	k.rounds++
	k.c.clock.observe(v.later)
	if v.err != nil {
		return Receipt{}, v.outcome, v.err
	}
	return k.receipt(sib.Dot, v), nil, nil
}

// meet goes on with a record that is not this call's own.
func (u *once) meet(rec idempotency.Record) (r Receipt, outcome, err error) {
	for range maxTurns {
		switch {
		case rec.Intent.Fingerprint != u.print || rec.Intent.Op != u.op || rec.Intent.Policy != u.k.cfg.Policy:
			u.tell(KeyConflict, nil)
			return Receipt{}, ErrNotApplied, fmt.Errorf("%w: of a %v, recorded %s; use another key, or repeat that request as it was",
				ErrIdempotencyConflict, rec.Intent.Op, rec.Intent.Dot().Stamp.Time().UTC().Format(time.RFC3339))
		case rec.Done:
			return u.duplicate(rec)
		}
		r, gone, err := u.replay(&rec.Intent)
		if err != nil {
			return Receipt{}, ErrUnknown, err
		}
		if !gone {
			return r, nil, nil
		}
		if err := u.prepare(); err != nil {
			return Receipt{}, ErrNotApplied, err
		}
		var mine bool
		if rec, mine, err = u.replace(rec.Intent.Dot()); err != nil {
			return u.withoutStore(err)
		}
		if mine {
			u.tell(KeyReplaced, nil)
			return u.own(rec)
		}
	}
	return Receipt{}, ErrUnknown, &kindError{kind: ErrUnavailable, err: errors.New("other calls keep replacing the record of the idempotency key; try again")}
}

// duplicate is the receipt of a finished record.
func (u *once) duplicate(rec idempotency.Record) (r Receipt, outcome, err error) {
	u.k.c.counters.duplicates.Add(1)
	u.tell(KeyDuplicate, nil)
	return u.recorded(&rec.Intent, rec.Result), nil, nil
}

// recorded is the receipt of a write that another call began.
func (u *once) recorded(i *idempotency.Intent, res idempotency.Result) Receipt {
	r := Receipt{
		Dot: i.Dot(), Acked: res.Acked, Owners: res.Owners, Superseded: res.Superseded,
		RoundTrips: u.k.rounds, Duplicate: true,
	}
	if i.Policy == Causal {
		r.Context = vclock.NewContext(u.k.scope(), i.State.Clock)
	}
	return r
}

// withoutStore ends a call whose store could not be asked, or goes on without it: with
// the very dot that it may have recorded, so that a repetition which finds that
// record has no second effect.
func (u *once) withoutStore(why error) (r Receipt, outcome, err error) {
	k := u.k
	if stopped := k.stopped(); stopped != nil {
		return r, ErrNotApplied, fmt.Errorf("%w: idempotency store: %w", stopped, foreignError{why})
	}
	final := errors.Is(why, idempotency.ErrInvalid) || errors.Is(why, idempotency.ErrDamaged)
	if final || !u.cfg.failOpen {
		return r, ErrNotApplied, storeError(why)
	}
	if err := u.prepare(); err != nil {
		return r, ErrNotApplied, err
	}
	k.c.counters.unprotected.Add(1)
	u.tell(KeyUnprotected, why)
	return u.send()
}

func (u *once) tell(what IdempotencyEvent, err error) {
	for _, h := range u.k.c.cfg.hooks.once {
		h.OnIdempotency(Idempotency{Tenant: u.k.tenant, Key: u.k.key, Token: u.key.Token, What: what, Err: err})
	}
}
