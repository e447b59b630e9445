package replica

import (
	"math/bits"
	"time"
)

const (
	wheelSlots = 1024
	// wheelSlot is the time of one slot. A turn takes ten seconds and a quarter, which is longer than writes are
	// followed after their calls have ended.
	wheelSlot = int64(10 * time.Millisecond)
)

// A wheel holds operations by their deadlines, so that those that are due are found without a look at
// the others: a hashed timing wheel (Varghese and Lauck, 1987, scheme 6). Those that are due after a turn or more lie
// among those of this one, and are looked at once a turn.
type wheel struct {
	slots    [wheelSlots]*Op
	earliest [wheelSlots]int64 // no operation of the slot is due before it
	filled   [wheelSlots / 64]uint64
}

func wheelIndex(deadline int64) int { return int(deadline / wheelSlot % wheelSlots) }

// add takes op in, by its deadline.
func (w *wheel) add(op *Op) {
	i := wheelIndex(op.deadline)
	head := w.slots[i]
	if head == nil {
		w.earliest[i] = op.deadline
		w.filled[i/64] |= 1 << (i % 64)
	} else {
		head.before = op
		w.earliest[i] = min(w.earliest[i], op.deadline)
	}
	op.before, op.after = nil, head
	w.slots[i] = op
}

// remove takes op out, whose deadline is as it was when it came in.
func (w *wheel) remove(op *Op) {
	if op.after != nil {
		op.after.before = op.before
	}
	if op.before != nil {
		op.before.after = op.after
	} else {
		i := wheelIndex(op.deadline)
		w.slots[i] = op.after
		if op.after == nil {
			w.filled[i/64] &^= 1 << (i % 64)
		}
	}
	op.before, op.after = nil, nil
}

// next is a time before which nothing is due; never if there is nothing. It calls due for all that is due at now,
// which takes it out.
func (w *wheel) next(now int64, due func(*Op)) int64 {
	next := int64(never)
	for at, word := range w.filled {
		for ; word != 0; word &= word - 1 {
			i := at*64 + bits.TrailingZeros64(word)
			if w.earliest[i] <= now {
				w.look(i, now, due)
			}
			if w.slots[i] != nil {
				next = min(next, w.earliest[i])
			}
		}
	}
	return next
}

// look calls due for what is due in slot i, and finds the earliest of the rest.
func (w *wheel) look(i int, now int64, due func(*Op)) {
	earliest := int64(never)
	for op := w.slots[i]; op != nil; {
		after := op.after
		if op.deadline <= now {
			due(op)
		} else {
			earliest = min(earliest, op.deadline)
		}
		op = after
	}
	w.earliest[i] = earliest
}
