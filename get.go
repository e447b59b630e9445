package pairdb

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/devrev/pairdb/vclock"
)

// Get reads a key: the owners that the level asks for, joined, resolved to one
// value.
//
// Errors: ErrNotFound (bare, with an Object that carries the context) where no sibling
// is live; ErrConflict or the resolver's own error, with the siblings in the
// Object; QuorumError; InputError; ctx's error. Read errors change nothing and may be tried again.
func (t *Tenant) Get(ctx context.Context, key string, opts ...ReadOption) (Object, error) {
	o, err := newReadOptions(opts)
	var k call
	began := k.begin(ctx, t, opGet, key, o.timeout)
	defer k.leave()
	if err == nil {
		err = began
	}
	if err != nil {
		return Object{Key: key}, k.end(err, nil)
	}
	obj, err := k.get(&o)
	return obj, k.end(err, nil)
}

func newReadOptions(opts []ReadOption) (o readOptions, err error) {
	for _, opt := range opts {
		if opt == nil {
			return o, &InputError{Field: "option", Reason: "nil"}
		}
		if o, err = opt.applyRead(o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// get is a Get within a call that was begun.
func (k *call) get(o *readOptions) (Object, error) {
	level := k.readLevel(o.level)
	k.level = level
	obj := Object{Key: k.key}
	if err := k.checkLevel(level); err != nil {
		return obj, err
	}
	if err := k.admit(level, 0); err != nil {
		return obj, err
	}
	state, shared, err := k.read(level, false)
	if err != nil {
		return obj, err
	}
	k.c.clock.observe(newest(state))
	if k.cfg.Policy == Causal {
		obj.Context = vclock.NewContext(k.scope(), state.Clock)
	}
	if shared {
		state = withOwnValues(state)
	}
	obj.Siblings = siblings(state, &k.c.cfg)
	resolver := o.resolve
	if resolver == nil {
		resolver = k.c.cfg.resolve
	}
	if obj.Conflict() {
		k.conflict(&obj)
	}
	err = obj.resolve(resolver)
	return obj, err
}

// read runs one read at the level. shared says that repairs may still send the
// state's values.
func (k *call) read(level Level, clockOnly bool) (state vclock.State, shared bool, err error) {
	down, amnesiac := k.v.unusable(k.owners)
	if err := k.reachable(level, down, amnesiac); err != nil {
		return state, false, err
	}
	k.rounds++
	r, err := k.sendRead(level, clockOnly, down, amnesiac)
	if err != nil {
		return state, false, err
	}
	k.waits()
	defer r.free()
	return r.result()
}

// withOwnValues copies the values, which the caller of Get may change.
func withOwnValues(s vclock.State) vclock.State {
	s.Siblings = slices.Clone(s.Siblings)
	for i := range s.Siblings {
		s.Siblings[i].Value = bytes.Clone(s.Siblings[i].Value)
	}
	return s
}

func (k *call) conflict(obj *Object) {
	k.c.counters.conflicts.Add(1)
	for _, h := range k.c.cfg.hooks.conflict {
		h.OnConflict(Conflict{Tenant: k.tenant, Key: k.key, Siblings: obj.live()})
	}
}

// newest is the greatest stamp in a state.
func newest(s vclock.State) vclock.Stamp {
	n := s.Clock.Newest()
	for i := range s.Siblings {
		n = max(n, s.Siblings[i].Dot.Stamp)
	}
	return n
}

// siblings are the state's, oldest first. The time is asked for only where one may have expired.
func siblings(s vclock.State, cfg *config) []Sibling {
	if len(s.Siblings) == 0 {
		return nil
	}
	out := make([]Sibling, len(s.Siblings))
	for i := range s.Siblings {
		in := &s.Siblings[i]
		out[i] = Sibling{Value: in.Value, Dot: in.Dot, Deleted: in.Tombstone}
		if in.Expires != 0 {
			out[i].Deleted = in.DeletedAt(cfg.time())
			out[i].Expires = time.UnixMilli(in.Expires)
		}
		if out[i].Value == nil && !in.Tombstone {
			out[i].Value = []byte{}
		}
	}
	slices.SortFunc(out, func(a, b Sibling) int { return vclock.CompareByStamp(a.Dot, b.Dot) })
	return out
}

// clockRead is what a Put without a context covers: all that was acknowledged, at
// either level, before it began. Only then is the write named and sent, so that what a write
// covers was there before the write was, and no two can each cover the other.
func (k *call) clockRead(read, write Level) (vclock.Clock, error) {
	level := read.Max(write, len(k.owners))
	if k.c.cfg.rules.clockReadAtReadLevel {
		level = read
	}
	state, _, err := k.read(level, true)
	if err != nil {
		return nil, err
	}
	k.c.clock.observe(newest(state))
	return state.Clock, nil
}
