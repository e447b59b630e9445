package vclock

// minted is what a Minter remembers of one key: the last stamp of each lane of
// the block that the key uses. It is its own list element.
//
// It has no pointers, and the Minter's index of them has none: in each of its cycles the
// collector would follow those of all 65,536 keys of a full memory. It fills a line of the processor's cache, since a key
// that is written again has rarely been so lately enough to be in it.
type minted struct {
	key    KeyHash
	block  Actor
	shared Actor // the Minter's current block that the key has used; 0 if none
	first  Stamp // lane 0, which is all that most keys ever use
	pins   int32 // writes in flight
	more   bool  // further lanes are in Minter.others
	newer  slot
	older  slot
	_      [8]byte
}

// A slot is a place in mintedList: where an entry is kept. Slot 0 is none.
type slot int32

// lane returns the first lane of e's block, whose lanes but the first are others, on
// which s may be minted for a write with context ctx, and false if there is none.
func (m *Minter) lane(e *minted, others []Stamp, ctx Clock, s Stamp) (int, bool) {
	at := ctx.search(e.block)
	last := e.first
	for lane := range m.lanes {
		var seen Stamp
		if at < len(ctx) && ctx[at].Actor == e.block+Actor(lane) {
			seen = ctx[at].Stamp
			at++
		}
		// The context covers the lane's last dot, and not the dot to be. A context
		// that has seen more of the lane than was minted is forged.
		if (last <= seen || m.off&laneRule != 0) && seen < s {
			return lane, true
		}
		last = 0 // of a lane without a dot
		if lane < len(others) {
			last = others[lane]
		}
	}
	return 0, false
}

// take writes down that s was minted on a lane of the entry at the slot.
func (m *Minter) take(at slot, lane int, s Stamp) {
	e := &m.entries[at]
	if lane == 0 {
		e.first = s
		return
	}
	others := m.others[at]
	for len(others) < lane {
		others = append(others, 0)
	}
	others[lane-1] = s
	m.others[at], e.more = others, true
}

// leave forgets the lanes of an entry that goes on with another block or ends.
func (m *Minter) leave(at slot) {
	if e := &m.entries[at]; e.more {
		delete(m.others, at)
		e.more = false
	}
}

// mintedList is a doubly linked list of some of its elements. It is a ring: slot 0
// holds no entry, but the first as its older and the last as its newer one.
type mintedList []minted

func (l mintedList) pushFront(at slot) {
	front := l[0].older
	l[at].newer, l[at].older = 0, front
	l[front].newer, l[0].older = at, at
}

func (l mintedList) remove(at slot) {
	newer, older := l[at].newer, l[at].older
	l[newer].older, l[older].newer = older, newer
}

// back returns the element that was pushed before all others; none if the list is empty.
func (l mintedList) back() slot { return l[0].newer }
