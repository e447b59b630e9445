package vclock

// A Slab is memory for the states that are decoded together and let go together:
// an allocation for many of them, where each would take two. The zero Slab is ready for use. What was
// decoded stays as it is until Reset.
type Slab struct {
	dots     region[Dot]
	siblings region[Sibling]
}

// How many a Slab allocates at a time, of a usual state one or two of each, and how many it keeps.
const slabItems, slabKept = 64, 4096

// DecodeState is the function of that name, with its clock and siblings in the slab.
func (m *Slab) DecodeState(b []byte) (Policy, State, error) { return decodeState(b, m) }

// Clock returns room for n entries, zero.
func (m *Slab) Clock(n int) Clock { return m.dots.take(n) }

// Siblings returns room for n siblings, zero.
func (m *Slab) Siblings(n int) []Sibling { return m.siblings.take(n) }

// Reset takes all back that was decoded or taken: nobody may look at it any more.
func (m *Slab) Reset() {
	m.dots.reset()
	m.siblings.reset()
}

// A region hands out parts of an array, and begins another where one is too short.
type region[T any] struct {
	items []T
	used  int // of items
	lost  int // used of the arrays before
}

func (r *region[T]) take(n int) []T {
	if len(r.items)-r.used < n {
		r.lost += r.used
		r.items, r.used = make([]T, max(n, slabItems)), 0
	}
	from := r.used
	r.used += n
	return r.items[from:r.used:r.used]
}

// reset has the next use find one array that is long enough for a use like this one.
func (r *region[T]) reset() {
	switch need := r.lost + r.used; {
	case need > slabKept:
		r.items = nil
	case r.lost > 0:
		r.items = make([]T, 2*need)
	default:
		clear(r.items[:r.used])
	}
	r.used, r.lost = 0, 0
}
