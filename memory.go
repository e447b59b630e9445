package pairdb

import (
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/devrev/pairdb/vclock"
)

// clockSource is the coordinator's hybrid logical clock.
type clockSource struct {
	now func() time.Time // nil is the system's

	mu  sync.Mutex
	hlc vclock.HLC // guarded by mu
}

// millis is the time by the client's clock. at is a reading of the system's.
func (c *clockSource) millis(at time.Time) int64 {
	if c.now != nil {
		at = c.now()
	}
	return at.UnixMilli()
}

// next returns the stamp of a write.
func (c *clockSource) next(at time.Time) vclock.Stamp {
	now := c.millis(at)
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hlc.Next(now)
}

// nextAfter is observe, then next, in one step.
func (c *clockSource) nextAfter(s vclock.Stamp, at time.Time) vclock.Stamp {
	now := c.millis(at)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s > c.hlc.Last() {
		c.hlc.Observe(s, now, defaultMaxSkew.Milliseconds())
	}
	return c.hlc.Next(now)
}

// observe moves the clock past a stamp that was read, unless it is further
// ahead than nodes would take from us.
func (c *clockSource) observe(s vclock.Stamp) bool {
	if s <= c.last() { // as nearly every stamp is
		return true
	}
	now := c.millis(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	if s <= c.hlc.Last() {
		return true
	}
	return c.hlc.Observe(s, now, defaultMaxSkew.Milliseconds())
}

func (c *clockSource) last() vclock.Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hlc.Last()
}

// memoryShards spreads it over as many locks. Each shard has an
// actor of its own, so that a forgotten entry begins a generation in its shard alone.
const memoryShards = 16

// memory is what the coordinator remembers of keys: the last dots that it minted
// (invariant 1 of package vclock).
type memory struct {
	seeds  [2]uint64 // random per client, so that nobody can aim at a collision
	shards [memoryShards]memoryShard
}

type memoryShard struct {
	mu     sync.Mutex
	minter *vclock.Minter // guarded by mu
}

func newMemory(keys int, random func() uint64) *memory {
	m := &memory{seeds: [2]uint64{random(), random()}}
	each := max(1, keys/memoryShards)
	for i := range m.shards {
		m.shards[i].minter = vclock.NewMinter(each, random)
	}
	return m
}

// hash names a key.
func (m *memory) hash(tenant, key string) vclock.KeyHash {
	return vclock.KeyHash{Hi: seeded(m.seeds[0], tenant, key), Lo: seeded(m.seeds[1], tenant, key)}
}

func seeded(seed uint64, tenant, key string) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(seed)
	_, _ = d.WriteString(tenant)
	_, _ = d.WriteString("\x00") // no tenant id has one
	_, _ = d.WriteString(key)
	return d.Sum64()
}

func (m *memory) shard(h vclock.KeyHash) *memoryShard { return &m.shards[h.Lo%memoryShards] }

// mint names a write. The caller releases the pin when the write has ended, tail included.
func (m *memory) mint(h vclock.KeyHash, ctx vclock.Clock, s vclock.Stamp) (vclock.Dot, vclock.Pin) {
	shard := m.shard(h)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	return shard.minter.Mint(h, ctx, s)
}

// release ends what mint began for the same key.
func (m *memory) release(h vclock.KeyHash, p vclock.Pin) {
	shard := m.shard(h)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.minter.Release(p)
}

func (m *memory) generations() (n int) {
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += m.shards[i].minter.Generations()
		m.shards[i].mu.Unlock()
	}
	return n
}

// keys returns how many keys are remembered.
func (m *memory) keys() (n int) {
	for i := range m.shards {
		m.shards[i].mu.Lock()
		n += m.shards[i].minter.Len()
		m.shards[i].mu.Unlock()
	}
	return n
}
