package tenanttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

// watches are the cases for stores that are Watchers.
var watches = []storeCase{
	{"a watch begins with all, and tells of each change", func(t *testing.T, s tenant.Store) {
		create(t, s, tenant.Config{ID: "before"})
		told := watch(t, s)
		told.wait(t, "")
		kept := create(t, s, acme())
		told.wait(t, kept.ID)
		kept.Read = quorum.Two
		kept = update(t, s, kept)
		told.wait(t, kept.ID)
		remove(t, s, kept)
		told.wait(t, kept.ID)
	}},
	{"all who watch are told of every change", func(t *testing.T, s tenant.Store) {
		const tenants = 40
		watchers := []*told{watch(t, s), watch(t, s), watch(t, s)}
		for _, w := range watchers {
			w.wait(t, "")
		}
		want := make(map[string]bool, tenants)
		for i := range tenants {
			want[create(t, s, tenant.Config{ID: fmt.Sprintf("t%d", i)}).ID] = true
		}
		for _, w := range watchers {
			w.waitAll(t, want)
		}
	}},
	{"what is told can be read", func(t *testing.T, s tenant.Store) {
		told := watch(t, s)
		told.wait(t, "")
		for i := range 10 {
			want := create(t, s, tenant.Config{ID: fmt.Sprintf("t%d", i)})
			told.wait(t, want.ID)
			has(t, s, want)
		}
	}},
	{"a watch ends with its context, and leaves the store as it was", func(t *testing.T, s tenant.Store) {
		told := watch(t, s)
		told.wait(t, "")
		told.cancel()
		isOnly(t, told.end(t), context.Canceled)
		create(t, s, acme())

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.(tenant.Watcher).Watch(ended, func(string) {}), context.Canceled)
		again := watch(t, s)
		again.wait(t, "")
	}},
}

// told is what one Watch tells.
type told struct {
	ids    chan string
	ended  chan struct{}
	err    error // why, once ended is closed
	cancel context.CancelFunc
}

// watch starts a Watch, which ends with the test.
func watch(t *testing.T, s tenant.Store) *told {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &told{ids: make(chan string), ended: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(w.ended)
		w.err = s.(tenant.Watcher).Watch(ctx, func(id string) {
			select {
			case w.ids <- id:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-w.ended:
		case <-time.After(patience(t)):
			t.Error("Watch did not end with its context")
		}
	})
	return w
}

// end returns why the watch ended.
func (w *told) end(t *testing.T) error {
	t.Helper()
	select {
	case <-w.ended:
		return w.err
	case <-time.After(patience(t)):
		require.Fail(t, "Watch did not end")
		return nil
	}
}

// wait returns when id was told, or "" in its place.
func (w *told) wait(t *testing.T, id string) {
	t.Helper()
	w.waitAll(t, map[string]bool{id: true})
}

// waitAll returns when each of ids was told, or "" in their place. It does not keep count of
// what is told again.
func (w *told) waitAll(t *testing.T, ids map[string]bool) {
	t.Helper()
	left := make(map[string]bool, len(ids))
	for id := range ids {
		left[id] = true
	}
	for len(left) > 0 {
		select {
		case id := <-w.ids:
			if id == "" {
				return
			}
			delete(left, id)
		case <-w.ended:
			require.Fail(t, "Watch ended", "%v", w.err)
		case <-time.After(patience(t)):
			require.Fail(t, "Watch did not tell of a change", "%v", left)
		}
	}
}
