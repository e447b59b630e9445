package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
)

// loaders is how many callers of each tenant there are at once.
const loaders = 4

// A load is callers of both tenants that write a value and read it back, each at a key of its own, until
// they are stopped.
type load struct {
	cancel context.CancelFunc
	all    sync.WaitGroup

	requests, failed atomic.Int64
	failure          sync.Once
	err              error // the first one; set under failure

	last map[string]map[string]string // by tenant and key: what was written last; to be read when stopped
}

func startLoad(ctx context.Context, c *pairdb.Client) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{cancel: cancel, last: map[string]map[string]string{payments: {}, sessions: {}}}
	var mu sync.Mutex // guards last
	for i := range 2 * loaders {
		id, key := payments, fmt.Sprintf("account/%d", i/2)
		if i%2 == 1 {
			id, key = sessions, fmt.Sprintf("user/%d", i/2)
		}
		l.all.Go(func() {
			written := l.call(ctx, c.Tenant(id), key)
			mu.Lock()
			defer mu.Unlock()
			l.last[id][key] = written
		})
	}
	return l
}

// call returns the last value that was acknowledged.
func (l *load) call(ctx context.Context, t *pairdb.Tenant, key string) (written string) {
	for n := 1; ctx.Err() == nil; n++ {
		value := fmt.Sprint("value ", n)
		var opts []pairdb.WriteOption
		if t.ID() == payments {
			opts = append(opts, pairdb.WithIdempotencyKey(idempotency.NewKey()))
		}
		// A request that was begun is finished, so that it is known what was written.
		_, err := t.Put(context.WithoutCancel(ctx), key, []byte(value), opts...)
		if l.count(err) {
			written = value
		}
		obj, err := t.Get(context.WithoutCancel(ctx), key)
		if l.count(err) && written == value && string(obj.Value) != value {
			l.count(fmt.Errorf("%s/%s is %q, where %q was written", t.ID(), key, obj.Value, value))
		}
	}
	return written
}

func (l *load) count(err error) (ok bool) {
	l.requests.Add(1)
	if err == nil {
		return true
	}
	l.failed.Add(1)
	l.failure.Do(func() { l.err = err })
	return false
}

// stop waits for the requests that were begun. A nil load is stopped.
func (l *load) stop() {
	if l != nil {
		l.cancel()
		l.all.Wait()
	}
}

// verify reads back what was written last.
func (l *load) verify(ctx context.Context, c *pairdb.Client, id string) (same int, err error) {
	for key, value := range l.last[id] {
		obj, err := c.Tenant(id).Get(ctx, key)
		if err != nil && !errors.Is(err, pairdb.ErrNotFound) {
			return same, err
		}
		if string(obj.Value) == value {
			same++
		}
	}
	return same, nil
}
