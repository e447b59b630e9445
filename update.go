package pairdb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// What Update's fn may return in place of a value, as with fs.SkipDir.
var (
	// SkipWrite makes Update write nothing and succeed.
	SkipWrite = errors.New("skip this write") //nolint:staticcheck,revive // named as fs.SkipDir is
	// DeleteKey makes Update write a tombstone.
	DeleteKey = errors.New("delete this key") //nolint:staticcheck,revive // named as fs.SkipDir is
)

// Update is not atomic across clients: it reads a key, calls fn, and writes what
// fn returns with the context that was read. An update that raced with another
// client's leaves both results as siblings, for the resolver of the next reader.
// Within one client the updates of a key take turns. In last-write-wins tenants
// the later of two racing updates wins and the other is lost.
//
// fn gets the object (Found is false for an absent or deleted key), must not
// change it, and may return SkipWrite or DeleteKey, or any other error, which ends the
// call with ErrNotApplied. It is called once.
//
// Errors are as Put's; a failed read is ErrNotApplied.
func (t *Tenant) Update(ctx context.Context, key string, fn func(Object) ([]byte, error), opts ...UpdateOption) (Receipt, error) {
	o, err := newUpdateOptions(opts)
	if fn == nil && err == nil {
		err = &InputError{Field: "fn", Reason: "nil"}
	}
	var k call
	began := k.begin(ctx, t, opUpdate, key, o.write.timeout)
	defer k.leave()
	if err == nil {
		err = began
	}
	if err != nil {
		return Receipt{}, k.end(err, ErrNotApplied)
	}
	r, outcome, err := k.update(fn, &o)
	return r, k.end(err, outcome)
}

func newUpdateOptions(opts []UpdateOption) (o updateOptions, err error) {
	for _, opt := range opts {
		if opt == nil {
			return o, &InputError{Field: "option", Reason: "nil"}
		}
		if o, err = opt.applyUpdate(o); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (k *call) update(fn func(Object) ([]byte, error), o *updateOptions) (r Receipt, outcome, err error) {
	ctx, cancel := context.WithDeadline(k.ctx, k.deadline)
	defer cancel()
	k.waits()
	done, err := k.c.turns.take(ctx, k.keyHash())
	if err != nil {
		return r, ErrNotApplied, fmt.Errorf("wait for another update of the key: %w", err)
	}
	defer done()
	if o.write.token != "" {
		return k.updateOnce(fn, o)
	}
	sib, obj, err := k.compute(fn, o)
	switch {
	case err == SkipWrite: //nolint:errorlint // compute's own, bare
		return k.skipped(&obj), nil, nil
	case err != nil:
		return r, ErrNotApplied, err
	}
	return k.putSibling(sib, &o.write)
}

// skipped is the receipt of an update that writes nothing.
func (k *call) skipped(obj *Object) Receipt {
	return Receipt{Context: obj.Context, Owners: len(k.owners), RoundTrips: k.rounds}
}

// updateOnce is an update under an idempotency key. The key is not read, and fn not called, where a
// record says what the update was. The call and the options are copies, as putOnce's.
func (k *call) updateOnce(fn func(Object) ([]byte, error), given *updateOptions) (r Receipt, outcome, err error) {
	own, o := *k, *given
	defer func() { *k = own }()
	if err := own.checkOptions(&o.write, false); err != nil {
		return r, ErrNotApplied, err
	}
	u, err := own.newOnce(idempotency.Update, nil, &writeOptions{token: o.write.token})
	if err != nil {
		return r, ErrNotApplied, err
	}
	var obj Object
	u.compose = func() (sib vclock.Sibling, clock vclock.Clock, err error) {
		if sib, obj, err = own.compute(fn, &o); err == nil {
			clock, err = own.covers(&o.write)
		}
		return sib, clock, err
	}
	r, outcome, err = u.run(true)
	if err == SkipWrite { //nolint:errorlint // compute's own, bare
		return own.skipped(&obj), nil, nil
	}
	return r, outcome, err
}

// compute reads the key and calls fn. It returns what is to be written, o's context
// set, or the bare SkipWrite, and what was read.
func (k *call) compute(fn func(Object) ([]byte, error), o *updateOptions) (sib vclock.Sibling, obj Object, err error) {
	obj, err = k.get(&o.read)
	if err != nil && err != ErrNotFound { //nolint:errorlint // the bare sentinel: that no sibling is live
		return sib, obj, err
	}
	value, err := fn(obj)
	tombstone := errors.Is(err, DeleteKey)
	switch {
	case errors.Is(err, SkipWrite):
		return sib, obj, SkipWrite
	case err != nil && !tombstone:
		return sib, obj, fmt.Errorf("update function: %w", foreignError{err})
	case tombstone:
		value, o.write.ttl = nil, 0
	}
	if k.cfg.Policy == Causal {
		o.write.context, o.write.after = obj.Context, true
	}
	if err := k.checkOptions(&o.write, tombstone); err != nil {
		return sib, obj, err
	}
	sib, err = k.sibling(value, tombstone, &o.write)
	return sib, obj, err
}

// turns lets one update of a key run at a time.
type turns struct {
	mu   sync.Mutex
	keys map[vclock.KeyHash]*turn // guarded by mu; only keys that somebody updates
}

type turn struct {
	users int           // who has it and who waits; guarded by turns.mu
	token chan struct{} // holds one token while nobody has the turn
}

// take waits for the key's turn until ctx ends. The caller ends it with done.
func (t *turns) take(ctx context.Context, k vclock.KeyHash) (done func(), err error) {
	t.mu.Lock()
	if t.keys == nil {
		t.keys = map[vclock.KeyHash]*turn{}
	}
	mine := t.keys[k]
	if mine == nil {
		mine = &turn{token: make(chan struct{}, 1)}
		mine.token <- struct{}{}
		t.keys[k] = mine
	}
	mine.users++
	t.mu.Unlock()

	select {
	case <-mine.token:
		return func() {
			mine.token <- struct{}{}
			t.leave(k, mine)
		}, nil
	case <-ctx.Done():
		t.leave(k, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(k vclock.KeyHash, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.keys, k)
	}
}
