package node

import (
	"bytes"
	"encoding/binary"
	"sync"
)

const (
	// Chunks grow from the first size to the last. A larger record has a chunk of its own.
	firstChunk = 1 << 10
	lastChunk  = 1 << 20

	// valueStep rounds up the room of a value, so that one which grows a little stays where it is.
	valueStep = 32

	// leastDead is what must be dead, and more than what lives, before a shard is rebuilt.
	leastDead = 1 << 20
)

// A place says where a record begins: the chunk's number plus one, and the offset in it. 0 is nowhere.
type place uint64

// A record is the bytes of one key: where the next record with the same hash is, the lengths
// of key and value, the room for the value, the key, and the room.
type record []byte

const recordHead = 8 + 4 + 4 + 4

func (r record) next() place     { return place(binary.LittleEndian.Uint64(r)) }
func (r record) setNext(p place) { binary.LittleEndian.PutUint64(r, uint64(p)) }
func (r record) keyLen() int     { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r record) valueLen() int   { return int(binary.LittleEndian.Uint32(r[12:])) }
func (r record) room() int       { return int(binary.LittleEndian.Uint32(r[16:])) }
func (r record) size() int       { return recordHead + r.keyLen() + r.room() }
func (r record) key() []byte     { return r[recordHead:][:r.keyLen()] }

func (r record) value() []byte {
	n := r.valueLen()
	return r[recordHead+r.keyLen():][:n:n]
}

func (r record) setValue(value []byte) {
	binary.LittleEndian.PutUint32(r[12:], uint32(len(value))) //nolint:gosec // no value has 4 GiB
	copy(r[recordHead+r.keyLen():], value)
}

// A memoryShard has the keys of some hashes.
type memoryShard struct {
	mu         sync.RWMutex     // guards what follows
	index      map[uint64]place // the first record of each hash
	chunks     [][]byte         // records up to their length; chunks never move
	live, dead int              // bytes
}

func (s *memoryShard) at(p place) record { return record(s.chunks[p>>32-1][uint32(p):]) } //nolint:gosec // the offset

// find returns the record of key, and the one before it among those of its hash; nil if there is none.
func (s *memoryShard) find(hash uint64, key []byte) (found, before record) {
	for p := s.index[hash]; p != 0; p = found.next() {
		before, found = found, s.at(p)
		if bytes.Equal(found.key(), key) {
			return found, before
		}
	}
	return nil, nil
}

func (s *memoryShard) put(hash uint64, key, value []byte) {
	old, before := s.find(hash, key)
	if old != nil && old.room() >= len(value) {
		old.setValue(value)
		return
	}
	p, r := s.add(key, value)
	switch {
	case old == nil:
		r.setNext(s.index[hash])
		s.index[hash] = p
		return
	case before == nil:
		s.index[hash] = p
	default:
		before.setNext(p)
	}
	r.setNext(old.next())
	s.live -= old.size()
	s.dead += old.size()
	if s.dead > leastDead && s.dead > s.live {
		s.rebuild()
	}
}

// add lays down a record that nothing leads to yet.
func (s *memoryShard) add(key, value []byte) (place, record) {
	room := (len(value) + valueStep - 1) / valueStep * valueStep
	size := recordHead + len(key) + room
	last := len(s.chunks) - 1
	if last < 0 || cap(s.chunks[last])-len(s.chunks[last]) < size {
		most := firstChunk
		if last >= 0 {
			most = min(2*cap(s.chunks[last]), lastChunk)
		}
		s.chunks = append(s.chunks, make([]byte, 0, max(most, size)))
		last++
	}
	begin := len(s.chunks[last])
	s.chunks[last] = s.chunks[last][:begin+size]
	r := record(s.chunks[last][begin:])
	binary.LittleEndian.PutUint32(r[8:], uint32(len(key))) //nolint:gosec // no key has 4 GiB
	binary.LittleEndian.PutUint32(r[16:], uint32(room))    //nolint:gosec // nor a value
	copy(r[recordHead:], key)
	r.setValue(value)
	s.live += size
	return place(last+1)<<32 | place(begin), r
}

// each calls use with every record that an index leads to.
func (s *memoryShard) each(use func(hash uint64, r record)) {
	for hash, p := range s.index {
		for p != 0 {
			r := s.at(p)
			p = r.next()
			use(hash, r)
		}
	}
}

// reset forgets everything.
func (s *memoryShard) reset() {
	s.index, s.chunks, s.live, s.dead = make(map[uint64]place), nil, 0, 0
}

// rebuild leaves out what is dead.
func (s *memoryShard) rebuild() {
	fresh := memoryShard{index: make(map[uint64]place, len(s.index))}
	s.each(func(hash uint64, r record) {
		p, copied := fresh.add(r.key(), r.value())
		copied.setNext(fresh.index[hash])
		fresh.index[hash] = p
	})
	s.index, s.chunks, s.live, s.dead = fresh.index, fresh.chunks, fresh.live, 0
}
