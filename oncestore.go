package pairdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// storeError is a store's error, and by errors.Is what it means to the caller.
func storeError(err error) error {
	kind := ErrUnavailable
	switch {
	case errors.Is(err, idempotency.ErrInvalid):
		kind = ErrInvalid
	case errors.Is(err, idempotency.ErrFull):
		kind = ErrOverloaded
	case errors.Is(err, idempotency.ErrDamaged):
		return fmt.Errorf("idempotency store: %w", foreignError{err})
	}
	return fmt.Errorf("idempotency store: %w", &kindError{kind: kind, err: foreignError{err}})
}

// complete records the result. The write has succeeded, whatever becomes of that.
func (u *once) complete(i *idempotency.Intent, r Receipt) {
	ctx, cancel := u.storeContext()
	defer cancel()
	res := idempotency.Result{Acked: r.Acked, Owners: r.Owners, Superseded: r.Superseded}
	if err := u.cfg.store.Complete(ctx, u.key, *i, res, u.cfg.ttl); err != nil {
		u.k.c.counters.unfinished.Add(1)
		u.tell(KeyUnfinished, err)
	}
}

func (u *once) lookup() (idempotency.Record, bool, error) {
	ctx, cancel := u.storeContext()
	defer cancel()
	return u.cfg.store.Lookup(ctx, u.key)
}

func (u *once) begin() (idempotency.Record, bool, error) {
	ctx, cancel := u.storeContext()
	defer cancel()
	return u.cfg.store.Begin(ctx, u.key, *u.intent, u.cfg.ttl)
}

func (u *once) replace(old vclock.Dot) (idempotency.Record, bool, error) {
	ctx, cancel := u.storeContext()
	defer cancel()
	return u.cfg.store.Replace(ctx, u.key, old, *u.intent, u.cfg.ttl)
}

// storeContext bounds one call of the store.
func (u *once) storeContext() (context.Context, context.CancelFunc) {
	return context.WithDeadline(u.k.ctx, earlier(u.k.deadline, time.Now().Add(u.cfg.timeout)))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
