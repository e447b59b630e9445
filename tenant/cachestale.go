package tenant

import (
	"context"
	"slices"
	"sync"
	"time"
)

// maxStale bounds what listeners have yet to be told. Past it they are not told, as a listener that cannot
// keep up learns nothing from more.
const maxStale = 1024

// A Stale says that a known tenant was served past its TTL, since the store could not be asked.
type Stale struct {
	ID  string
	Age time.Duration // since the store was asked for what was served
	Err error         // why it could not be asked
}

// staleListeners are who is told, and what of.
type staleListeners struct {
	mu        sync.Mutex
	listeners []*staleListener // guarded by mu
	pending   []Stale          // guarded by mu; at most maxStale
	telling   bool             // guarded by mu: a goroutine empties pending
}

type staleListener struct{ tell func(Stale) }

// NotifyStale has listener be told when a known tenant is served past its TTL: at most once for
// each tenant and attempt to refresh it, on a goroutine of the cache's own, one call after another. A listener that is
// slow delays the others, and no request. stop ends it, but for a call that is under way.
func (c *Cache) NotifyStale(listener func(Stale)) (stop func()) {
	l := &staleListener{tell: listener}
	s := &c.stale
	s.mu.Lock()
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.listeners = slices.DeleteFunc(s.listeners, func(other *staleListener) bool { return other == l })
	}
}

func (c *Cache) tellStale(stale Stale) {
	s := &c.stale
	s.mu.Lock()
	if len(s.listeners) == 0 || len(s.pending) >= maxStale {
		s.mu.Unlock()
		return
	}
	s.pending = append(s.pending, stale)
	start := !s.telling
	s.telling = true
	s.mu.Unlock()
	if start {
		c.work.run(s.run)
	}
}

func (s *staleListeners) run(ctx context.Context) {
	for {
		s.mu.Lock()
		pending, listeners := s.pending, slices.Clone(s.listeners)
		s.pending = nil
		s.telling = len(pending) > 0
		s.mu.Unlock()
		if len(pending) == 0 {
			return
		}
		for _, stale := range pending {
			if ctx.Err() != nil {
				return
			}
			for _, l := range listeners {
				l.tell(stale)
			}
		}
	}
}
