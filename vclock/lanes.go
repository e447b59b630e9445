package vclock

// minted is what a Minter remembers of one key: the last stamp of each lane of
// the block that the key uses. It is its own list element.
type minted struct {
	key    KeyHash
	block  Actor
	shared Actor   // the Minter's current block that the key has used; 0 if none
	first  Stamp   // lane 0, which is all that most keys ever use
	others []Stamp // lanes 1, 2, …; 0 is a lane without a dot
	pins   int     // writes in flight
	newer  *minted
	older  *minted
}

// lane returns the first lane of e's block on which s may be minted for a write
// with context ctx, and false if there is none.
func (m *Minter) lane(e *minted, ctx Clock, s Stamp) (int, bool) {
	at := ctx.search(e.block)
	for lane := range m.lanes {
		var seen Stamp
		if at < len(ctx) && ctx[at].Actor == e.block+Actor(lane) {
			seen = ctx[at].Stamp
			at++
		}
		// The context covers the lane's last dot, and not the dot to be. A context
		// that has seen more of the lane than was minted is forged.
		if (e.last(lane) <= seen || m.off&laneRule != 0) && seen < s {
			return lane, true
		}
	}
	return 0, false
}

func (e *minted) last(lane int) Stamp {
	switch {
	case lane == 0:
		return e.first
	case lane <= len(e.others):
		return e.others[lane-1]
	default:
		return 0
	}
}

func (e *minted) set(lane int, s Stamp) {
	if lane == 0 {
		e.first = s
		return
	}
	for len(e.others) < lane {
		e.others = append(e.others, 0)
	}
	e.others[lane-1] = s
}

// mintedList is a doubly linked list of entries.
type mintedList struct{ front, back *minted }

func (l *mintedList) pushFront(e *minted) {
	e.newer, e.older = nil, l.front
	if l.front != nil {
		l.front.newer = e
	} else {
		l.back = e
	}
	l.front = e
}

func (l *mintedList) remove(e *minted) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		l.front = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		l.back = e.newer
	}
	e.newer, e.older = nil, nil
}
