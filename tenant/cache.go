package tenant

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

const (
	// staleWait is how long a Get waits for a load, from its beginning, before it serves a
	// config past its TTL. A store that is up answers in a few milliseconds; of a request's
	// default 5 s it takes 2 %.
	staleWait = 100 * time.Millisecond

	// recentFailure is how long after a failed load a config past its TTL is served without waiting
	// for the next load. It is several times maxRetry, so that under traffic no Get waits while
	// the store is down; a tenant that nobody asked for meanwhile is asked for again.
	recentFailure = 30 * time.Second

	// touchEvery is how exact the order of use is. To move a tenant to the front takes a lock.
	touchEvery = int64(time.Second)

	// maxUnknown bounds the ids that are remembered to be no tenant's. Each takes some 300 bytes at most.
	maxUnknown = 4096

	// hitStripes is how many counters the hits are spread over, so that the processors do not
	// pass one to and fro.
	hitStripes = 16
)

// A Cache answers from memory for the tenants of a Reader that asks elsewhere, such as a Store
// on a database. It is what stands on every request's path. All methods may be called from any
// number of goroutines.
//
// What it holds is a known tenant, and a known tenant is never refused because the store is down or slow:
// it is served as it was last seen, whatever its age, until the store says that there is no such tenant
// (invariants 6 to 9 of the package). A Get waits only for a tenant that is not known, and at
// most 100 ms for one whose config is past its TTL.
//
// A Cache of a Store is a Store. Changes made through it take effect for its next Get; changes
// made elsewhere at once if the Store is a Watcher, else when the config is refreshed.
type Cache struct {
	reader Reader
	cfg    cacheConfig
	base   time.Time
	work   *background
	slots  chan struct{} // holds an element for each load that a Get has started
	queue  chan string   // the ids that wait for a refresh in the background
	watch  sync.Once

	// known has the entries of order, for Gets that take no lock.
	known sync.Map // string → *entry
	hits  [hitStripes]hitStripe

	stale staleListeners

	mu       sync.Mutex // guards what follows, and what entry says it does
	order    *simplelru.LRU[string, *entry]
	unknown  *simplelru.LRU[string, int64] // until when
	flights  map[string]*flight            // the newest load of each id, unless it was overtaken
	late     map[string]*flight            // the newest that was overtaken byAny and has not ended
	writes   map[string]*ownWrites         // the ids that are being changed through the cache
	stats    CacheStats                    // but for Hits and Size
	workers  int                           // that empty queue
	sweeping sweepState
}

type hitStripe struct {
	n atomic.Uint64
	_ [56]byte // a cache line of its own
}

// CacheStats count what a Cache did since it was made. Each Get of a valid id is one of Hits, Misses and
// Unknown, and each AtHand that has an answer is one of Hits.
type CacheStats struct {
	Hits       uint64 // a tenant was served at once
	Misses     uint64 // a Get had to wait for a load
	Unknown    uint64 // it was remembered that there is no such tenant
	Stale      uint64 // of Hits and Misses: a config past its TTL was served
	Loads      uint64 // questions to the store
	LoadErrors uint64 // of them: without a usable answer; that there is no such tenant is one
	Size       int    // known tenants
}

// NewCache returns a Cache in front of r. It asks nobody and starts no goroutine until it is used;
// Close ends those that it started then. An option that is out of its bounds is ErrInvalid, by the option's name.
func NewCache(r Reader, opts ...CacheOption) (*Cache, error) {
	if r == nil {
		return nil, &FieldError{Field: "Reader", Reason: "is nil"}
	}
	cfg, err := newCacheConfig(opts)
	if err != nil {
		return nil, err
	}
	c := &Cache{
		reader:  r,
		cfg:     cfg,
		base:    time.Now(),
		work:    newBackground(),
		slots:   make(chan struct{}, maxLoads),
		queue:   make(chan string, maxQueue),
		flights: make(map[string]*flight),
		late:    make(map[string]*flight),
		writes:  make(map[string]*ownWrites),
	}
	forget := func(id string, _ *entry) { c.known.Delete(id) }
	if c.order, err = simplelru.NewLRU(cfg.size, forget); err != nil {
		return nil, err
	}
	if c.unknown, err = simplelru.NewLRU[string, int64](maxUnknown, nil); err != nil {
		return nil, err
	}
	for _, listener := range cfg.onStale {
		c.NotifyStale(listener)
	}
	return c, nil
}

// Get implements Reader. An error that is none of the contract's says that the store could not be asked about
// an id that is not known; it wraps the store's.
func (c *Cache) Get(ctx context.Context, id string) (Config, error) {
	if s := c.atHand(id); s != nil {
		return s.config, nil
	}
	return c.find(ctx, id)
}

// AtHand implements tenant.AtHand: it says what is known, and starts a refresh where one is due.
func (c *Cache) AtHand(id string) (Config, bool) {
	if s := c.atHand(id); s != nil {
		return s.config, true
	}
	return Config{}, false
}

// atHand returns a pointer, since a Config is long enough for a second copy to be felt.
func (c *Cache) atHand(id string) *entryState {
	v, ok := c.known.Load(id)
	if !ok {
		return nil
	}
	e := v.(*entry)
	now := c.now()
	s := e.state.Load()
	if now >= s.refreshAt {
		return c.serveDue(e, now)
	}
	if touched := e.touched.Load(); now-touched >= touchEvery {
		c.touch(e, touched, now)
	}
	c.hit()
	return s
}

// Stats returns the counters as they are.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	stats := c.stats
	stats.Size = c.order.Len()
	c.mu.Unlock()
	for i := range c.hits {
		stats.Hits += c.hits[i].n.Load()
	}
	return stats
}

// Close ends the cache's goroutines and waits for them, so for a listener that is being
// told, too: no listener may call it. Known tenants are still served; all else is ErrClosed. The
// Reader is its owner's to close. Close may be called again, and returns nil.
func (c *Cache) Close() error {
	c.work.close()
	return nil
}

// now is the time since the cache was made, which is cheaper to tell than the time of day, and
// monotonic.
func (c *Cache) now() int64 { return int64(time.Since(c.base)) }

func (c *Cache) hit() { c.hits[rand.Uint32()%hitStripes].n.Add(1) }

// touch makes the tenant the last one that was used. If the lock is not free, another Get will.
func (c *Cache) touch(e *entry, touched, now int64) {
	if !c.mu.TryLock() {
		return
	}
	if e.touched.CompareAndSwap(touched, now) {
		c.order.Get(e.id)
	}
	c.mu.Unlock()
}

// serveDue decides about a tenant that is due for a refresh, or past its TTL.
func (c *Cache) serveDue(e *entry, now int64) *entryState {
	c.mu.Lock()
	v := c.judge(e, now)
	c.mu.Unlock()
	if v.serve == nil {
		return nil
	}
	c.hit()
	c.act(v)
	return v.serve
}

// act does what judge decided but for serving, without the lock.
func (c *Cache) act(v verdict) {
	if v.refresh {
		c.refresh(v.serve.config.ID)
	}
	if v.tell {
		c.tellStale(v.stale)
	}
}
