package pairdb

import (
	"errors"
	"time"

	"github.com/devrev/pairdb/idempotency"
)

const (
	// DefaultIdempotencyTTL is how long an idempotency key is remembered.
	DefaultIdempotencyTTL = 24 * time.Hour
	// DefaultIdempotencyTimeout bounds one call of the idempotency store.
	DefaultIdempotencyTimeout = time.Second
)

// An IdempotencyOption configures WithIdempotency.
type IdempotencyOption interface{ applyOnce(*onceConfig) error }

type onceOption func(*onceConfig) error

func (o onceOption) applyOnce(c *onceConfig) error { return o(c) }

// onceConfig is what writes with an idempotency key need.
type onceConfig struct {
	store    idempotency.Store // nil: there is none
	ttl      time.Duration
	timeout  time.Duration
	failOpen bool
}

// IdempotencyTTL sets how long a key is remembered, counted from the write's begin and
// again from its end. Default: 24 h, at most idempotency.MaxTTL. Nodes keep for their
// retention (default 48 h) what a repetition is recognised by: a write is
// refused with an InputError if the time to live, twice the write window and twice the skew limit are
// more than that of an owner that is connected.
func IdempotencyTTL(d time.Duration) IdempotencyOption {
	return onceOption(func(c *onceConfig) error {
		if err := idempotency.CheckTTL(d); err != nil {
			return &InputError{Field: "IdempotencyTTL", Reason: reasonOf(err)}
		}
		c.ttl = d
		return nil
	})
}

// IdempotencyTimeout bounds each call of the idempotency store, within the deadline of the
// write. Default: 1 s.
func IdempotencyTimeout(d time.Duration) IdempotencyOption {
	return onceOption(func(c *onceConfig) error {
		if d <= 0 {
			return &InputError{Field: "IdempotencyTimeout", Reason: "must be more than zero"}
		}
		c.timeout = d
		return nil
	})
}

// FailOpen makes writes with an idempotency key go on where the store cannot be asked,
// or is full, as if they had no key: available rather than exactly once. HookIdempotency tells
// of each (KeyUnprotected). Default: such a write fails with ErrNotApplied.
func FailOpen() IdempotencyOption {
	return onceOption(func(c *onceConfig) error { c.failOpen = true; return nil })
}

// reasonOf is what is wrong with a field, without its name.
func reasonOf(err error) string {
	if f, ok := errors.AsType[*idempotency.FieldError](err); ok {
		return f.Reason
	}
	return err.Error()
}
