package idempotencytest_test

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// wrapped is a Memory from which a record can be taken away, which breaking it needs.
type wrapped struct {
	idempotency.Store

	mu      sync.Mutex
	dropped map[idempotency.Key]int       // guarded by mu; how often
	until   map[idempotency.Key]time.Time // guarded by mu; for who keeps track of it
}

func newWrapped() *wrapped {
	return &wrapped{
		Store:   idempotency.NewMemory(0),
		dropped: make(map[idempotency.Key]int),
		until:   make(map[idempotency.Key]time.Time),
	}
}

// place is where the record is after it was dropped so often. Bad keys stay so.
func (w *wrapped) place(k idempotency.Key) idempotency.Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.dropped[k]; n > 0 {
		k.Cluster += "." + strconv.Itoa(n)
	}
	return k
}

func (w *wrapped) drop(k idempotency.Key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropped[k]++
}

func (w *wrapped) Lookup(ctx context.Context, k idempotency.Key) (idempotency.Record, bool, error) {
	return w.Store.Lookup(ctx, w.place(k))
}

func (w *wrapped) Begin(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	return w.Store.Begin(ctx, w.place(k), i, ttl)
}

func (w *wrapped) Complete(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
	return w.Store.Complete(ctx, w.place(k), i, r, ttl)
}

func (w *wrapped) Replace(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	return w.Store.Replace(ctx, w.place(k), old, i, ttl)
}

// there is the dot of the record that there is, if any.
func (w *wrapped) there(ctx context.Context, k idempotency.Key) (rec idempotency.Record, found bool) {
	rec, found, _ = w.Lookup(ctx, k)
	return rec, found
}

// A broken store does as it is told, except where a func is set.
type broken struct {
	*wrapped
	key      func(idempotency.Key) idempotency.Key
	lookup   func(context.Context, idempotency.Key) (idempotency.Record, bool, error)
	begin    func(context.Context, idempotency.Key, idempotency.Intent, time.Duration) (idempotency.Record, bool, error)
	complete func(context.Context, idempotency.Key, idempotency.Intent, idempotency.Result, time.Duration) error
	replace  func(context.Context, idempotency.Key, vclock.Dot, idempotency.Intent, time.Duration) (idempotency.Record, bool, error)
}

func (b broken) at(k idempotency.Key) idempotency.Key {
	if b.key == nil {
		return k
	}
	return b.key(k)
}

func (b broken) Lookup(ctx context.Context, k idempotency.Key) (idempotency.Record, bool, error) {
	if b.lookup != nil {
		return b.lookup(ctx, k)
	}
	return b.wrapped.Lookup(ctx, b.at(k))
}

func (b broken) Begin(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	if b.begin != nil {
		return b.begin(ctx, k, i, ttl)
	}
	return b.wrapped.Begin(ctx, b.at(k), i, ttl)
}

func (b broken) Complete(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
	if b.complete != nil {
		return b.complete(ctx, k, i, r, ttl)
	}
	return b.wrapped.Complete(ctx, b.at(k), i, r, ttl)
}

func (b broken) Replace(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	if b.replace != nil {
		return b.replace(ctx, k, old, i, ttl)
	}
	return b.wrapped.Replace(ctx, b.at(k), old, i, ttl)
}
