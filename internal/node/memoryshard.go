package node

import (
	"encoding/binary"
)

const (
	// Chunks grow from the first size to the last. A larger record has a chunk of its own.
	firstChunk = 1 << 10
	lastChunk  = 64 << 10

	// valueStep rounds up the room of a value, so that one which grows a little stays where it is.
	valueStep = 16

	// leastDead is what must be dead, and more than what lives, before a shard is rebuilt.
	leastDead = 64 << 10
)

// A record is the bytes of one key: the lengths of key and value, the room for the value, the key, and the room.
type record []byte

const recordHead = 4 + 4 + 4

func (r record) keyLen() int   { return int(binary.LittleEndian.Uint32(r)) }
func (r record) valueLen() int { return int(binary.LittleEndian.Uint32(r[4:])) }
func (r record) room() int     { return int(binary.LittleEndian.Uint32(r[8:])) }
func (r record) size() int     { return recordHead + r.keyLen() + r.room() }
func (r record) key() []byte   { return r[recordHead:][:r.keyLen()] }

func (r record) value() []byte {
	n := r.valueLen()
	return r[recordHead+r.keyLen():][:n:n]
}

func (r record) setValue(value []byte) {
	binary.LittleEndian.PutUint32(r[4:], uint32(len(value))) //nolint:gosec // no value has 4 GiB
	copy(r[recordHead+r.keyLen():], value)
}

// recordSize is what a record takes.
func recordSize(key, value []byte) int { return recordHead + len(key) + roomFor(value) }

func roomFor(value []byte) int { return (len(value) + valueStep - 1) / valueStep * valueStep }

// lay writes a record into b, which has its size.
func lay(b, key, value []byte) {
	r := record(b)
	binary.LittleEndian.PutUint32(r, uint32(len(key)))                       //nolint:gosec // no key has 4 GiB
	binary.LittleEndian.PutUint32(r[8:], uint32(len(b)-len(key)-recordHead)) //nolint:gosec // nor a value
	copy(r[recordHead:], key)
	r.setValue(value)
}

// A memoryShard has the keys of some hashes.
type memoryShard struct {
	shelf          // its chunks never move
	live, dead int // bytes; guarded by mu
}

func (s *memoryShard) put(hash uint64, key, value []byte) {
	old, slot := s.find(hash, key)
	if old != nil && old.room() >= len(value) {
		old.setValue(value)
		return
	}
	p := s.add(key, value)
	if old == nil {
		s.index.add(hash, p)
		return
	}
	s.index.move(slot, p)
	s.live -= old.size()
	s.dead += old.size()
	if s.dead > leastDead && s.dead > s.live {
		s.rebuild()
	}
}

// add lays down a record that nothing leads to yet.
func (s *memoryShard) add(key, value []byte) place {
	size := recordSize(key, value)
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
	lay(s.chunks[last][begin:], key, value)
	s.live += size
	return placeOf(last, begin)
}

// each calls use with every record that an index leads to.
func (s *memoryShard) each(use func(slot uint64, r record)) {
	for _, slot := range s.index.slots {
		if slot != 0 {
			use(slot, s.at(slotPlace(slot)))
		}
	}
}

// rebuild leaves out what is dead.
func (s *memoryShard) rebuild() {
	var fresh memoryShard
	s.each(func(slot uint64, r record) {
		fresh.index.add(slotHash(slot), fresh.add(r.key(), r.value()))
	})
	s.index, s.chunks, s.live, s.dead = fresh.index, fresh.chunks, fresh.live, 0
}
