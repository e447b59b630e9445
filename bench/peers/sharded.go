package peers

import (
	"hash/maphash"
	"sync"
)

const shards = 64 // far more than a server has goroutines at work

// A sharded is a map that many goroutines use at once.
type sharded[V any] struct {
	seed   maphash.Seed
	shards [shards]shard[V]
}

type shard[V any] struct {
	mu     sync.RWMutex
	values map[string]V // guarded by mu
	_      [32]byte     // to the end of the cache line
}

func newSharded[V any]() *sharded[V] {
	s := &sharded[V]{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].values = map[string]V{}
	}
	return s
}

// of returns the shard of a key, for the caller to lock.
func (s *sharded[V]) of(key []byte) *shard[V] {
	return &s.shards[maphash.Bytes(s.seed, key)%shards]
}
