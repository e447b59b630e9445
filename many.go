package pairdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// manyWorkers bounds the requests of one GetMany or PutMany under way at once.
const manyWorkers = 64

// GetResults are GetMany's, in the order of its keys.
type GetResults []GetResult

// GetResult is one key's.
type GetResult struct {
	Object Object
	Err    error // as Get's
}

// FirstErr returns the first error that is not ErrNotFound, or nil.
func (r GetResults) FirstErr() error {
	for i := range r {
		if err := r[i].Err; err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// PutResults are PutMany's, in the order of its items.
type PutResults []PutResult

// PutResult is one item's.
type PutResult struct {
	Receipt Receipt
	Err     error // as Put's
}

// FirstErr returns the first error, or nil.
func (r PutResults) FirstErr() error {
	for i := range r {
		if r[i].Err != nil {
			return r[i].Err
		}
	}
	return nil
}

// GetMany reads up to MaxBatch keys, each as Get does, at most 64 at once; one
// that fails does not fail the rest. A key may come twice.
func (t *Tenant) GetMany(ctx context.Context, keys []string, opts ...ReadOption) GetResults {
	results := make(GetResults, len(keys))
	if err := checkBatch(len(keys), "keys"); err != nil {
		for i := range results {
			results[i].Err = fmt.Errorf("pairdb: get many: %w", err)
		}
		return results
	}
	each(len(keys), func(i int) {
		results[i].Object, results[i].Err = t.Get(ctx, keys[i], opts...)
	})
	return results
}

// PutMany writes up to MaxBatch items, each as Put does, at most 64 at once;
// one that fails does not fail the rest, and nothing is atomic. The options apply to
// each item, before the item's own. A key that comes twice is an InputError at its
// second place, since the order of the two would be chance.
func (t *Tenant) PutMany(ctx context.Context, items []Item, opts ...WriteOption) PutResults {
	results := make(PutResults, len(items))
	refuse := func(i int, err error) {
		results[i].Err = fmt.Errorf("pairdb: put many: %w (%w)", err, ErrNotApplied)
	}
	if err := checkBatch(len(items), "items"); err != nil {
		for i := range results {
			refuse(i, err)
		}
		return results
	}
	seen := make(map[string]int, len(items))
	for i := range items {
		if first, twice := seen[items[i].Key]; twice {
			refuse(i, &InputError{Field: fmt.Sprintf("items[%d].Key", i), Reason: fmt.Sprintf("is items[%d]'s too", first)})
			continue
		}
		seen[items[i].Key] = i
	}
	each(len(items), func(i int) {
		if results[i].Err == nil {
			results[i].Receipt, results[i].Err = t.write(ctx, opPut, items[i].Key, items[i].Value, opts, items[i].Opts)
		}
	})
	return results
}

func checkBatch(n int, field string) error {
	if n > MaxBatch {
		return &InputError{Field: field, Reason: fmt.Sprintf("has %d, at most %d are allowed", n, MaxBatch)}
	}
	return nil
}

// each calls do for 0 to n-1, on a bounded number of goroutines that end before
// it returns. A panic (of a resolver, say) is passed on to the caller.
func each(n int, do func(int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	var panicked atomic.Pointer[any]
	work := func() {
		defer func() {
			if p := recover(); p != nil {
				panicked.CompareAndSwap(nil, &p)
				next.Store(int64(n))
			}
		}()
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			do(i)
		}
	}
	for range min(n, manyWorkers) - 1 {
		all.Go(work)
	}
	work()
	all.Wait()
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
}
