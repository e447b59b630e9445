package vclock

// A slotIndex finds a key's slot in a mintedList: a hash table with linear probing, at most half full. A place holds the
// upper half of the key's hash beside the slot, so that keys which share a place are told apart without
// a look at their entries: each would be a wait for memory, and that is most of what it costs to mint.
type slotIndex struct {
	places []uint64 // a power of two; 0 is free
	shift  int      // of a hash, to get its place
	n      int
}

const (
	firstPlaces = 3 // their logarithm
	slotMask    = 1<<32 - 1
)

// hash spreads keys over places also where only a part of the KeyHash differs.
func (k KeyHash) hash() uint64 { return (k.Hi + k.Lo*0xd6e8feb86659fd93) * 0x9e3779b97f4a7c15 }

// find returns the slot of k, which has been added; 0 if it has not.
func (x *slotIndex) find(k KeyHash, entries mintedList) slot {
	if x.n == 0 {
		return 0
	}
	h := k.hash()
	for i := h >> x.shift; ; i++ {
		i &= uint64(len(x.places) - 1)
		p := x.places[i]
		if p == 0 {
			return 0
		}
		if at := slot(p & slotMask); (p^h)>>32 == 0 && entries[at].key == k {
			return at
		}
	}
}

// add notes the slot, not 0, of a key that has none.
func (x *slotIndex) add(k KeyHash, at slot) {
	if 2*(x.n+1) > len(x.places) {
		x.grow()
	}
	x.n++
	x.put(k.hash()&^slotMask | uint64(at)) //nolint:gosec // slots count up from 0
}

// put fills a free place. A place tells by its own bits where it would best be.
func (x *slotIndex) put(p uint64) {
	i := p >> x.shift
	for x.places[i] != 0 {
		i = (i + 1) & uint64(len(x.places)-1)
	}
	x.places[i] = p
}

func (x *slotIndex) grow() {
	old := x.places
	if len(old) == 0 {
		x.places, x.shift = make([]uint64, 1<<firstPlaces), 64-firstPlaces
		return
	}
	x.places, x.shift = make([]uint64, 2*len(old)), x.shift-1
	for _, p := range old {
		if p != 0 {
			x.put(p)
		}
	}
}

// drop forgets the key, which has that slot. What it has pushed along moves back.
func (x *slotIndex) drop(k KeyHash, at slot) {
	mask := uint64(len(x.places) - 1)
	i := k.hash() >> x.shift
	for slot(x.places[i]&slotMask) != at {
		i = (i + 1) & mask
	}
	x.n--
	for next := (i + 1) & mask; x.places[next] != 0; next = (next + 1) & mask {
		best := x.places[next] >> x.shift
		if (next-best)&mask >= (next-i)&mask { // i is between best and next
			x.places[i], i = x.places[next], next
		}
	}
	x.places[i] = 0
}
