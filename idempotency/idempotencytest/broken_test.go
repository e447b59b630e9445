package idempotencytest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// brokenStores are ways to get a Store wrong, and one case of the suite that must fail for
// each; none may for the first.
var brokenStores = []struct {
	name, fails string
	store       func(*wrapped) idempotency.Store
}{
	{"not at all", "", func(w *wrapped) idempotency.Store { return broken{wrapped: w} }},

	{"begin overwrites", "begin with another dot is told which one is there", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			if rec, found := w.there(ctx, k); found && rec.Intent.Dot() != i.Dot() {
				w.drop(k)
			}
			return w.Begin(ctx, k, i, ttl)
		}
		return b
	}},

	{"begin looks first and writes then", "of many who begin one key at once", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			if rec, found := w.there(ctx, k); found {
				return rec, rec.Intent.Dot() == i.Dot(), nil
			}
			for range 100 {
				runtime.Gosched()
			}
			if rec, found := w.there(ctx, k); found {
				return w.Replace(ctx, k, rec.Intent.Dot(), i, ttl)
			}
			return w.Begin(ctx, k, i, ttl)
		}
		return b
	}},

	{"mine is who came first", "beginning once more with the same intent", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			_, found := w.there(ctx, k)
			rec, mine, err := w.Begin(ctx, k, i, ttl)
			return rec, mine && !found, err
		}
		return b
	}},

	{"no time to live", "a record is absent after its time", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			return w.Begin(ctx, k, i, forEver(ttl))
		}
		return b
	}},

	{"complete without a time to live", "a record is absent after its time", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			return w.Complete(ctx, k, i, r, forEver(ttl))
		}
		return b
	}},

	{"complete keeps the time to live", "complete and replace begin the time to live anew", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			rec, mine, err := w.Begin(ctx, k, i, ttl)
			if err == nil {
				w.mu.Lock()
				w.until[k] = time.Now().Add(ttl)
				w.mu.Unlock()
			}
			return rec, mine, err
		}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			w.mu.Lock()
			if until, known := w.until[k]; known && ttl > 0 {
				ttl = max(1, min(ttl, time.Until(until)))
			}
			w.mu.Unlock()
			return w.Complete(ctx, k, i, r, ttl)
		}
		return b
	}},

	{"begin renews", "no other call changes the time to live", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			rec, mine, err := w.Begin(ctx, k, i, ttl)
			if err == nil && rec.Done {
				_ = w.Complete(ctx, k, rec.Intent, rec.Result, ttl)
			} else if err == nil {
				_, _, _ = w.Replace(ctx, k, rec.Intent.Dot(), rec.Intent, ttl)
			}
			return rec, mine, err
		}
		return b
	}},

	{"another error for a replaced record", "completing another dot's record is ErrReplaced", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			err := w.Complete(ctx, k, i, r, ttl)
			if errors.Is(err, idempotency.ErrReplaced) {
				return errors.New("the idempotency record is of another write") //nolint:err113 // that is what is wrong
			}
			return err
		}
		return b
	}},

	{"no error for a replaced record", "an intent that was replaced cannot be completed", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			err := w.Complete(ctx, k, i, r, ttl)
			if errors.Is(err, idempotency.ErrReplaced) {
				return nil
			}
			return err
		}
		return b
	}},

	{"replace does not compare", "replace of another old dot is told which one is there", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.replace = func(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			if rec, found := w.there(ctx, k); found {
				old = rec.Intent.Dot()
			}
			return w.Replace(ctx, k, old, i, ttl)
		}
		return b
	}},

	{"replace takes a finished record", "a finished record is not replaced", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.replace = func(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			if rec, found := w.there(ctx, k); found && rec.Done && rec.Intent.Dot() == old {
				w.drop(k)
			}
			return w.Replace(ctx, k, old, i, ttl)
		}
		return b
	}},

	{"replace wants a record", "replace where there is no record makes it", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.replace = func(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			if _, found := w.there(ctx, k); !found && i.Validate() == nil && ctx.Err() == nil {
				return idempotency.Record{}, false, nil
			}
			return w.Replace(ctx, k, old, i, ttl)
		}
		return b
	}},

	{"complete overwrites another dot", "completing another dot's record is ErrReplaced", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			if rec, found := w.there(ctx, k); found && rec.Intent.Dot() != i.Dot() {
				w.drop(k)
			}
			return w.Complete(ctx, k, i, r, ttl)
		}
		return b
	}},

	{"the last result stays", "completing twice keeps the first result", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			if rec, found := w.there(ctx, k); found && rec.Intent.Dot() == i.Dot() {
				w.drop(k)
			}
			return w.Complete(ctx, k, i, r, ttl)
		}
		return b
	}},

	{"complete wants a record", "completing a record that was lost makes it anew", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.complete = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
			if _, found := w.there(ctx, k); !found && i.Validate() == nil {
				return nil
			}
			return w.Complete(ctx, k, i, r, ttl)
		}
		return b
	}},

	{"keys are strung together", "keys that differ in one field", func(w *wrapped) idempotency.Store {
		return broken{wrapped: w, key: func(k idempotency.Key) idempotency.Key {
			if k.Validate() != nil || len(k.Key+k.Token) > idempotency.MaxKeyBytes {
				return k
			}
			k.Key, k.Token = k.Key+k.Token, "t"
			return k
		}}
	}},

	{"keys without regard to case", "keys that differ in one field", func(w *wrapped) idempotency.Store {
		return broken{wrapped: w, key: func(k idempotency.Key) idempotency.Key {
			k.Key, k.Token = strings.ToLower(k.Key), strings.ToLower(k.Token)
			return k
		}}
	}},

	{"values are text", "an intent of any form comes back whole", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.lookup = func(ctx context.Context, k idempotency.Key) (idempotency.Record, bool, error) {
			rec, found, err := w.Lookup(ctx, k)
			if found {
				write := rec.Intent.State.Siblings[0]
				write.Value = []byte(strings.ToValidUTF8(string(write.Value), "?"))
				rec.Intent.State.Siblings = []vclock.Sibling{write}
			}
			return rec, found, err
		}
		return b
	}},

	{"contexts are not looked at", "a call whose context has ended fails with its error", func(w *wrapped) idempotency.Store {
		b := broken{wrapped: w}
		b.begin = func(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
			return w.Begin(context.WithoutCancel(ctx), k, i, ttl)
		}
		return b
	}},
}

// forEver keeps what is invalid so.
func forEver(ttl time.Duration) time.Duration {
	if idempotency.CheckTTL(ttl) != nil {
		return ttl
	}
	return idempotency.MaxTTL
}
