package vclock

// A Slab is memory for the states that are decoded together and let go together:
// an allocation for many of them, where each would take two. The zero Slab is ready for use. What was
// decoded stays as it is; a Slab only grows.
type Slab struct {
	dots     []Dot
	siblings []Sibling
}

// How many a Slab allocates at a time: of a usual state one or two of each.
const slabItems = 64

// DecodeState is the function of that name, with its clock and siblings in the slab.
func (m *Slab) DecodeState(b []byte) (Policy, State, error) { return decodeState(b, m) }

// Clock returns room for n entries, zero.
func (m *Slab) Clock(n int) Clock { return take(&m.dots, n) }

// Siblings returns room for n siblings, zero.
func (m *Slab) Siblings(n int) []Sibling { return take(&m.siblings, n) }

func take[T any](from *[]T, n int) []T {
	if len(*from) < n {
		*from = make([]T, max(n, slabItems))
	}
	taken := (*from)[:n:n]
	*from = (*from)[n:]
	return taken
}
