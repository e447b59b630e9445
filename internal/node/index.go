package node

import "sync/atomic"

// An index says where the records of a shard begin. It is a table of words without pointers, searched from a
// key's own place on: one line of the processor's cache for most keys, where a map takes several.
// Who changes it has it alone; readers may mark while others read.
type index struct {
	slots []uint64 // a power of two of them; 0 is free
	used  int
}

// A slot is a record's place, some bits of its key's hash, and whether it was in use lately.
//
//	place, 40 bits | hash, 23 bits | mark
const (
	slotMark  = 1
	hashShift = 1
	hashBits  = 23
	hashMask  = 1<<hashBits - 1

	leastSlots = 8
)

// A place is the number of a record's chunk plus one, and its offset there. 0 is nowhere. A shard
// has room for 65,535 chunks, 4 GiB in all, a Memory for a tebibyte.
type place uint64

const offsetBits = 24

func placeOf(chunk, offset int) place { return place(chunk+1)<<offsetBits | place(offset) } //nolint:gosec // both are small

func (p place) chunk() int  { return int(p>>offsetBits) - 1 }       //nolint:gosec // 16 bits
func (p place) offset() int { return int(p & (1<<offsetBits - 1)) } //nolint:gosec // 24 bits

func slotOf(hash uint64, p place) uint64 {
	return uint64(p)<<(hashBits+hashShift) | (hash&hashMask)<<hashShift
}

func slotPlace(slot uint64) place { return place(slot >> (hashBits + hashShift)) }
func slotHash(slot uint64) uint64 { return slot >> hashShift & hashMask }

// next returns the number of the first slot from i on that has the hash, and its record's place; -1 and 0 if there is none.
// A search begins at home(hash), and goes on behind what it found.
func (x *index) next(hash uint64, i int) (int, place) {
	if len(x.slots) == 0 {
		return -1, 0
	}
	mask := len(x.slots) - 1
	for i &= mask; ; i = (i + 1) & mask {
		slot := atomic.LoadUint64(&x.slots[i])
		if slot == 0 {
			return -1, 0
		}
		if slotHash(slot) == hash&hashMask {
			return i, slotPlace(slot)
		}
	}
}

func (x *index) home(hash uint64) int { return int(hash&hashMask) & (len(x.slots) - 1) } //nolint:gosec // 23 bits

// add enters a place that is not there.
func (x *index) add(hash uint64, p place) {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.grow()
	}
	x.used++
	x.enter(slotOf(hash, p))
}

func (x *index) enter(slot uint64) {
	mask := len(x.slots) - 1
	i := int(slotHash(slot)) & mask //nolint:gosec // 23 bits
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = slot
}

func (x *index) grow() {
	old := x.slots
	x.slots = make([]uint64, max(leastSlots, 2*len(old)))
	for _, slot := range old {
		if slot != 0 {
			x.enter(slot)
		}
	}
}

// move gives slot i another place, and takes its mark away.
func (x *index) move(i int, p place) { x.slots[i] = slotOf(slotHash(x.slots[i]), p) }

// remove frees slot i. Those behind it that it kept from their homes move up, so that no search ends before them.
func (x *index) remove(i int) {
	mask := len(x.slots) - 1
	x.used--
	for j := (i + 1) & mask; x.slots[j] != 0; j = (j + 1) & mask {
		home := int(slotHash(x.slots[j])) & mask //nolint:gosec // 23 bits
		if (j-home)&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
}

// mark says that slot i was in use. Many may do it at once.
func (x *index) mark(i int) {
	if atomic.LoadUint64(&x.slots[i])&slotMark == 0 {
		atomic.OrUint64(&x.slots[i], slotMark)
	}
}

func (x *index) marked(i int) bool { return x.slots[i]&slotMark != 0 }
