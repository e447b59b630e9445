package node

import (
	"hash/maphash"
)

// A stateCache keeps the encoded states of keys that were read or written lately, so that a merge, which
// reads before it writes, and a read of what is in use do not go through the engine: for Pebble that is a search
// of a skip list and of several tables, ten times what the rest of the operation takes.
//
// It holds what the engine holds, no more: who changes a key's state has its latch, and puts it here after
// the engine has taken it; who reads it into the cache has the latch too, shared. It knows nothing of what is on disk, which is
// the syncer's to say.
type stateCache struct {
	seed   maphash.Seed
	shards []cacheShard // a power of two
}

const (
	// shardBytes is a shard's least size where there are several, cacheShards their greatest number: so many can put at once.
	shardBytes  = 1 << 20
	cacheShards = 64

	// A shard has so many chunks, and no record of more than half of one. The oldest chunk gives way as a whole.
	shardChunks = 16
)

// newStateCache returns a cache of about so many bytes; nil, which caches nothing, for 0.
func newStateCache(bytes int) *stateCache {
	if bytes <= 0 {
		return nil
	}
	n := 1
	for n < cacheShards && bytes/(2*n) >= shardBytes {
		n *= 2
	}
	c := &stateCache{seed: maphash.MakeSeed(), shards: make([]cacheShard, n)}
	for i := range c.shards {
		c.shards[i].chunkBytes = min(bytes/n/shardChunks, 1<<offsetBits)
	}
	return c
}

func (c *stateCache) shard(key []byte) (*cacheShard, uint64) {
	h := maphash.Bytes(c.seed, key)
	return &c.shards[h>>32&uint64(len(c.shards)-1)], h
}

func (c *stateCache) shelf(key []byte) (*shelf, uint64) {
	s, h := c.shard(key)
	return &s.shelf, h
}

// get calls use with the state of key, if it is here.
func (c *stateCache) get(key []byte, use func(value []byte) error) (found bool, err error) {
	if c == nil {
		return false, nil
	}
	s, h := c.shard(key)
	s.mu.RLock() // while the value is in use: it may be written over
	defer s.mu.RUnlock()
	r, slot := s.find(h, key)
	if r == nil {
		return false, nil
	}
	s.index.mark(slot)
	return true, use(r.value())
}

// put keeps a copy of value, unless it is large.
func (c *stateCache) put(key, value []byte) {
	if c == nil {
		return
	}
	s, h := c.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, slot := s.find(h, key)
	size := recordSize(key, value)
	switch {
	case r != nil && r.room() >= len(value):
		r.setValue(value)
		s.index.mark(slot)
	case size > s.chunkBytes/2:
		if r != nil {
			s.index.remove(slot)
		}
	default:
		if r != nil {
			s.index.remove(slot)
		}
		s.add(c.seed, h, key, value, size)
	}
}

// A cacheShard is a ring of chunks of one size. Records go into the youngest; when it is full and there are as
// many chunks as there may be, the oldest becomes the youngest: of its records those stay that were
// used since they came or last stayed, half of them at the most.
type cacheShard struct {
	chunkBytes int
	shelf
	youngest int // guarded by mu
}

// add lays down a record of a key that is not here, of half a chunk at the most.
func (s *cacheShard) add(seed maphash.Seed, hash uint64, key, value []byte, size int) {
	switch {
	case len(s.chunks) > 0 && len(s.chunks[s.youngest])+size <= s.chunkBytes:
	case len(s.chunks) < shardChunks:
		s.chunks = append(s.chunks, nil)
		s.youngest = len(s.chunks) - 1
	default:
		s.youngest = (s.youngest + 1) % len(s.chunks)
		s.renew(seed, s.youngest)
	}
	begin := len(s.chunks[s.youngest])
	chunk := s.grow(s.youngest, begin+size)
	lay(chunk[begin:], key, value)
	s.index.add(hash, placeOf(s.youngest, begin))
}

// grow lengthens a chunk to size bytes. Its memory doubles as needed, so that a cache with little in it is small.
func (s *cacheShard) grow(number, size int) []byte {
	chunk := s.chunks[number]
	if size > cap(chunk) {
		chunk = append(make([]byte, 0, min(max(2*cap(chunk), size, firstChunk), s.chunkBytes)), chunk...)
	}
	s.chunks[number] = chunk[:size]
	return s.chunks[number]
}

// renew makes room in a chunk: what stays moves to its beginning.
func (s *cacheShard) renew(seed maphash.Seed, number int) {
	chunk, kept := s.chunks[number], 0
	for at := 0; at < len(chunk); {
		r := record(chunk[at:])
		size, here := r.size(), placeOf(number, at)
		if slot := s.slot(maphash.Bytes(seed, r.key()), here); slot >= 0 { // else another record has taken its place
			if s.index.marked(slot) && kept+size <= s.chunkBytes/2 {
				copy(chunk[kept:], r[:size])
				s.index.move(slot, placeOf(number, kept))
				kept += size
			} else {
				s.index.remove(slot)
			}
		}
		at += size
	}
	s.chunks[number] = chunk[:kept]
}

// slot returns the number of the slot that leads to a place; -1 if none does.
func (s *cacheShard) slot(hash uint64, to place) int {
	for i := s.index.home(hash); ; i++ {
		slot, p := s.index.next(hash, i)
		if p == 0 || p == to {
			return slot
		}
		i = slot
	}
}
