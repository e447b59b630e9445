package node

import (
	"bytes"
	"sync"
	"unsafe"
)

// A shelf is the records of some keys' hashes, in chunks, and the index of them.
type shelf struct {
	mu     sync.RWMutex // guards what follows
	index  index
	chunks [][]byte // records up to their length
}

func (s *shelf) at(p place) record { return record(s.chunks[p.chunk()][p.offset():]) }

// find returns the record of key, and its slot; nil if there is none.
func (s *shelf) find(hash uint64, key []byte) (found record, slot int) {
	for i := s.index.home(hash); ; i++ {
		slot, p := s.index.next(hash, i)
		if p == 0 {
			return nil, 0
		}
		if r := s.at(p); bytes.Equal(r.key(), key) {
			return r, slot
		}
		i = slot
	}
}

// Shelves of many keys are larger than the processor's caches, and a search waits for memory twice: for the slot, and
// for the record. The waits for the keys of a frame are made to overlap, by asking for all slots, then
// for all records, before any is looked at: a quarter of what an operation costs.
//
// (A cache line that is asked for too early, or for nothing, is a line too many, and no more.)

// fetchSlot asks for the slot at which a search for hash begins.
func (s *shelf) fetchSlot(hash uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.index.slots) > 0 {
		prefetch(unsafe.Pointer(&s.index.slots[s.index.home(hash)]))
	}
}

// Of a record so much is asked for as one of a usual key and a small value has. One prefetch asks for prefetchBytes.
const prefetchBytes, fetchBytes = 128, 256

// fetchRecord asks for the beginning of the first record that may be of hash.
func (s *shelf) fetchRecord(hash uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, p := s.index.next(hash, s.index.home(hash)); p != 0 {
		r := s.at(p)
		for at := 0; at < min(len(r), fetchBytes); at += prefetchBytes {
			prefetch(unsafe.Pointer(&r[at]))
		}
	}
}

// A shelver tells on which shelf a key is, and with which hash.
type shelver interface {
	shelf(key []byte) (*shelf, uint64)
}

// fetchFrom is the least number of keys that are worth asking for before they are looked at.
const fetchFrom = 4

// fetch asks for what the search for the batch's keys will look at.
func (c *Core) fetch(b *batch) {
	if c.shelves == nil || len(b.keys) < fetchFrom {
		return
	}
	for i := range b.keys {
		k := &b.keys[i]
		k.shelf, k.hash = c.shelves.shelf(k.key)
		k.shelf.fetchSlot(k.hash)
		prefetch(unsafe.Pointer(c.latches.of(k.token)))
	}
	for i := range b.keys {
		b.keys[i].shelf.fetchRecord(b.keys[i].hash)
	}
}
