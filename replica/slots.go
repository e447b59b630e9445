package replica

// slots finds the operation that an answer is for. An operation's id is the place in
// an array and the generation of that place, so that the answer to an operation
// that has gone (expired, say) never reaches the next one in its place.
type slots struct {
	entries []slot
	free    []uint32
}

type slot struct {
	op         *Op
	generation uint64
}

// slotBits are the low bits of an id. Both lanes may be full at once.
const slotBits = 20

const _ = uint(1<<slotBits - 2*MaxMaxInFlight)

// put gives op a place and returns its id, which is not 0.
func (s *slots) put(op *Op) uint64 {
	if len(s.free) == 0 {
		s.free = append(s.free, uint32(len(s.entries)))
		s.entries = append(s.entries, slot{})
	}
	last := len(s.free) - 1
	op.slot = s.free[last]
	s.free = s.free[:last]
	e := &s.entries[op.slot]
	e.op = op
	e.generation++
	return e.generation<<slotBits | uint64(op.slot)
}

// get returns the operation with that id, or nil.
func (s *slots) get(id uint64) *Op {
	i := id & (1<<slotBits - 1)
	if i >= uint64(len(s.entries)) || s.entries[i].generation != id>>slotBits {
		return nil
	}
	return s.entries[i].op
}

// drop frees the place of op.
func (s *slots) drop(op *Op) {
	s.entries[op.slot].op = nil
	s.free = append(s.free, op.slot)
}
