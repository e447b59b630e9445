package tenant

import (
	"context"
	"fmt"
)

// maxPending bounds what a slow watcher has yet to be told. Past it, it is told "": anything
// may have changed.
const maxPending = 1024

// memoryWatch is one call of Memory.Watch. Its fields, but for the channel, are guarded by
// the Memory's mu.
type memoryWatch struct {
	pending map[string]struct{} // "" stands for all others
	wake    chan struct{}       // of capacity 1; full while pending is not empty
}

// Watch implements Watcher. It breaks for no reason but ctx's end.
func (m *Memory) Watch(ctx context.Context, changed func(id string)) error {
	w := &memoryWatch{wake: make(chan struct{}, 1)}
	m.mu.Lock()
	m.watches[w] = struct{}{}
	w.add("")
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		delete(m.watches, w)
		m.mu.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("watch tenants: %w", ctx.Err())
		case <-w.wake:
		}
		m.mu.Lock()
		pending := w.pending
		w.pending = nil
		m.mu.Unlock()
		for id := range pending {
			changed(id)
		}
	}
}

// tell needs mu.
func (m *Memory) tell(id string) {
	for w := range m.watches {
		w.add(id)
	}
}

// add needs the Memory's mu.
func (w *memoryWatch) add(id string) {
	if _, all := w.pending[""]; all {
		return
	}
	if w.pending == nil || id == "" || len(w.pending) >= maxPending {
		if len(w.pending) >= maxPending {
			id = ""
		}
		w.pending = make(map[string]struct{}, 1)
	}
	w.pending[id] = struct{}{}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
