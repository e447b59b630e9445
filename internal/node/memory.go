package node

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync"
)

// Memory is an Engine that holds everything in memory, for tests and caches. It
// survives Close, so that a node can be restarted on it; it does not survive the
// process.
//
// Records lie one after the other in chunks, and an index without pointers says
// where, so that the garbage collector has a handful of objects to look at, however
// many keys there are. (Of a map of strings to slices it visits two objects for each key
// in each of its cycles, which took half of a busy node's time.)
type Memory struct {
	hash   func(key []byte) uint64
	shards [memoryShards]memoryShard

	// whole keeps a Scan from seeing half of an Apply: an Apply holds it shared, a Scan alone. It is taken before a shard's mutex.
	whole sync.RWMutex

	mu   sync.RWMutex
	meta map[string][]byte // guarded by mu
}

// memoryShards bounds how long one Apply or Get keeps others from theirs, a shard's growth above all: of ten million
// keys it moves some 40,000 words.
const memoryShards = 256

// NewMemory returns an empty engine.
func NewMemory() *Memory {
	seed := maphash.MakeSeed()
	return newMemory(func(key []byte) uint64 { return maphash.Bytes(seed, key) })
}

func newMemory(hash func([]byte) uint64) *Memory {
	return &Memory{hash: hash, meta: make(map[string][]byte)}
}

// Get implements Engine.
func (m *Memory) Get(key []byte, use func(value []byte) error) (bool, error) {
	h := m.hash(key)
	s := m.shard(h)
	s.mu.RLock() // while the value is in use: it may be written over
	defer s.mu.RUnlock()
	r, _ := s.find(h, key)
	if r == nil {
		return false, nil
	}
	return true, use(r.value())
}

// Apply implements Engine.
func (m *Memory) Apply(puts []KV) error {
	m.whole.RLock()
	defer m.whole.RUnlock()
	for i := range puts {
		h := m.hash(puts[i].Key)
		s := m.shard(h)
		s.mu.Lock()
		s.put(h, puts[i].Key, puts[i].Value)
		s.mu.Unlock()
	}
	return nil
}

func (m *Memory) shelf(key []byte) (*shelf, uint64) {
	h := m.hash(key)
	return &m.shard(h).shelf, h
}

func (m *Memory) shard(hash uint64) *memoryShard { return &m.shards[hash>>32%memoryShards] }

// Sync implements Engine.
func (m *Memory) Sync() error { return nil }

// Scan implements Engine.
func (m *Memory) Scan(from, to []byte, use func(key, value []byte) error) error {
	for _, found := range m.between(from, to) {
		if err := use(found.Key, found.Value); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) between(from, to []byte) (found []KV) {
	m.whole.Lock()
	defer m.whole.Unlock()
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		s.each(func(_ uint64, r record) {
			if k := r.key(); bytes.Compare(k, from) >= 0 && (to == nil || bytes.Compare(k, to) < 0) {
				found = append(found, KV{bytes.Clone(k), bytes.Clone(r.value())})
			}
		})
		s.mu.RUnlock()
	}
	slices.SortFunc(found, func(a, b KV) int { return bytes.Compare(a.Key, b.Key) })
	return found
}

// Meta implements Engine.
func (m *Memory) Meta(name string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return bytes.Clone(m.meta[name]), nil
}

// SetMeta implements Engine.
func (m *Memory) SetMeta(name string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.meta[name] = bytes.Clone(value)
	return nil
}

// Close implements Engine.
func (m *Memory) Close() error { return nil }
