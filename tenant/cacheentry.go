package tenant

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// minRetry and maxRetry bound how long after a failed load of a tenant the next one may
	// begin: it doubles each time, less up to a half by chance. A store that comes back is noticed within
	// maxRetry, and 10,000 tenants in use ask one that is down 2,000 times a second at most.
	minRetry = 100 * time.Millisecond
	maxRetry = 5 * time.Second
)

// errSlow is what listeners are told when a load has taken staleWait and goes on.
var errSlow = errors.New("the store has not answered yet")

// An entry is one known tenant. Times are as Cache.now.
type entry struct {
	id      string
	state   atomic.Pointer[entryState] // swapped by who holds the Cache's mu
	touched atomic.Int64               // when it was last moved to the front of the order

	// Guarded by the Cache's mu:
	queued   bool  // it waits for a refresh in the background
	told     bool  // listeners were told since the last load began
	failures int   // loads that failed since the last that did not
	failedAt int64 // when the last one did
	retryAt  int64 // no refresh begins before
	err      error // of the last one
}

// An entryState never changes.
type entryState struct {
	config    Config
	asOf      int64 // when the question was asked that config answers
	refreshAt int64 // from when on it is refreshed in the background
	expireAt  int64 // from when on a Get waits for a load
}

// A verdict is what becomes of one question about a known tenant.
type verdict struct {
	serve   *entryState // nil: wait for a load
	refresh bool        // put it in the queue: it is marked as queued already
	tell    bool
	stale   Stale
}

// judge decides whether a known tenant is served without waiting for a load. It needs mu.
func (c *Cache) judge(e *entry, now int64) verdict {
	s := e.state.Load()
	v := verdict{serve: s}
	if now < s.refreshAt {
		return v
	}
	f := c.flights[e.id]
	if now >= s.expireAt {
		failing := e.failures > 0 && now-e.failedAt < int64(recentFailure)
		slow := f != nil && now-f.began >= int64(staleWait)
		if !failing && !slow {
			return verdict{}
		}
		err := e.err
		if !failing {
			err = errSlow
		}
		v.stale, v.tell = c.serveStale(e, now, err)
	}
	if f == nil && !e.queued && now >= e.retryAt {
		e.queued, v.refresh = true, true
	}
	return v
}

// serveStale counts a tenant that is served past its TTL, and says whether listeners are to be
// told. It needs mu.
func (c *Cache) serveStale(e *entry, now int64, err error) (stale Stale, tell bool) {
	c.stats.Stale++
	tell = !e.told && err != nil
	e.told = e.told || tell
	return Stale{ID: e.id, Age: time.Duration(now - e.state.Load().asOf), Err: err}, tell
}

// keep holds config, which answers a question that was asked at asOf. It needs mu.
func (c *Cache) keep(config Config, asOf int64) *entry {
	e, known := c.order.Get(config.ID)
	if !known {
		e = &entry{id: config.ID}
	}
	ttl := time.Duration(float64(c.cfg.ttl) * (0.9 + 0.2*rand.Float64()))
	e.state.Store(&entryState{
		config:    config,
		asOf:      asOf,
		refreshAt: asOf + int64(ttl/4*3),
		expireAt:  asOf + int64(ttl),
	})
	e.told, e.failures, e.retryAt, e.err = false, 0, 0, nil
	e.touched.Store(c.now())
	c.unknown.Remove(config.ID)
	if !known {
		c.order.Add(config.ID, e)
		c.known.Store(config.ID, e)
	}
	return e
}

// gone forgets a tenant and remembers that there is none of that id. It needs mu.
func (c *Cache) gone(id string, now int64) {
	c.order.Remove(id)
	if c.cfg.unknownTTL > 0 {
		c.unknown.Add(id, now+int64(c.cfg.unknownTTL))
	}
	if w := c.writes[id]; w != nil {
		w.gone++
	}
}

// change swaps the state for a changed one. It needs the Cache's mu.
func (e *entry) change(f func(*entryState)) {
	next := *e.state.Load()
	f(&next)
	e.state.Store(&next)
}

// due has the next question start a refresh, whatever failed before. It needs the Cache's mu.
func (e *entry) due() {
	e.change(func(s *entryState) { s.refreshAt = 0 })
	e.retryAt = 0
}

// expire has the next question wait for a load. It needs the Cache's mu.
func (e *entry) expire() {
	e.change(func(s *entryState) { s.refreshAt, s.expireAt = 0, 0 })
	e.retryAt = 0
}

// raise takes config in if it is a later version of what is held, and leaves the times as they
// are: as versions only grow, a later one is right whenever it was read. It needs the Cache's mu.
func (e *entry) raise(config Config) {
	held := e.state.Load().config
	if config.Version > held.Version && follows(held, config) == nil {
		e.change(func(s *entryState) { s.config = config })
	}
}

// fail notes that a load failed. It needs the Cache's mu.
func (e *entry) fail(now int64, err error) {
	wait := min(minRetry<<min(e.failures, 16), maxRetry)
	wait -= rand.N(wait / 2)
	e.failures++
	e.failedAt, e.retryAt, e.err = now, now+int64(wait), err
}

// follows returns why config cannot be what became of held, or nil.
func follows(held, config Config) error {
	switch {
	case config.Version < held.Version:
		return fmt.Errorf("the store answers with version %d, where version %d was seen", config.Version, held.Version)
	case config.Replicas != held.Replicas:
		return fmt.Errorf("the store answers with %d replicas, where the tenant has %d: it is %w",
			config.Replicas, held.Replicas, ErrImmutable)
	case config.Policy != held.Policy:
		return fmt.Errorf("the store answers with policy %v, where the tenant has %v: it is %w",
			config.Policy, held.Policy, ErrImmutable)
	}
	return nil
}
