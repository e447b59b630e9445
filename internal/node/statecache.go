package node

// A stateCache keeps the encoded states of keys that were read or written lately, so that a merge, which
// reads before it writes, and a read of what is in use do not go through the engine: for Pebble that is a search
// of a skip list and of several tables, half of a node's time.
//
// It holds what the engine holds, no more: who changes a key's state has its latch, and puts it here after
// the engine has taken it; who reads it into the cache has the latch too, shared. It knows nothing of what is on disk, which is
// the syncer's to say.
type stateCache struct {
	store *Memory
	most  int // bytes of a shard
}

// newStateCache returns a cache of about so many bytes; nil, which caches nothing, for 0.
func newStateCache(bytes int) *stateCache {
	if bytes <= 0 {
		return nil
	}
	return &stateCache{store: NewMemory(), most: bytes / memoryShards}
}

// get calls use with the state of key, if it is here.
func (c *stateCache) get(key []byte, use func(value []byte) error) (found bool, err error) {
	if c == nil {
		return false, nil
	}
	return c.store.Get(key, use)
}

// put keeps a copy of value. A shard that is full begins anew: what is in use is soon back, and
// nothing has to be kept about who used what when.
func (c *stateCache) put(key, value []byte) {
	if c == nil || len(value) > c.most/8 {
		c.drop(key)
		return
	}
	h := c.store.hash(key)
	s := c.store.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(h, key, value)
	if s.live+s.dead > c.most {
		s.reset()
	}
}

// drop forgets key, by forgetting the shard that has it.
func (c *stateCache) drop(key []byte) {
	if c == nil {
		return
	}
	h := c.store.hash(key)
	s := c.store.shard(h)
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, _ := s.find(h, key); found != nil {
		s.reset()
	}
}
