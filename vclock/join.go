package vclock

// Join returns the state that has seen what either has. It is commutative,
// associative and idempotent (invariant 4), so states may be lost, repeated, delayed and
// reordered on their way.
//
// Causal: the clock is the join of both; the siblings are the dots that both
// hold, and those of each that the other's clock does not cover. LastWriteWins:
// the sibling with the greater (stamp, actor).
//
// Where an argument already equals the result it is returned itself, its slices
// included, so that a caller can tell by Equal or by length that nothing changed
// without paying for a copy; a where both do.
func Join(p Policy, a, b State) State {
	if p == LastWriteWins {
		return joinLast(&a, &b)
	}
	clock, siblings := joinCausal(&a, &b)
	return State{clock, siblings}
}

func joinLast(a, b *State) State {
	switch {
	case len(b.Siblings) == 0:
		return *a
	case len(a.Siblings) == 0:
		return *b
	case CompareByStamp(a.Siblings[0].Dot, b.Siblings[0].Dot) >= 0:
		return *a
	default:
		return *b
	}
}

// A State is six words long, more than the compiler keeps in registers: joinCausal takes pointers
// and returns the two parts, since copying states from call to call is half of the time of a join
// that changes nothing.
func joinCausal(a, b *State) (Clock, []Sibling) {
	order := a.Clock.Compare(b.Clock)
	keep := survivorsOf(a, b)
	// Each side may already hold exactly the siblings that survive.
	asA := keep.a == len(a.Siblings) && keep.b == keep.both
	asB := keep.b == len(b.Siblings) && keep.a == keep.both
	switch {
	case asA && (order == Equal || order == After):
		return a.Clock, a.Siblings
	case asB && (order == Equal || order == Before):
		return b.Clock, b.Siblings
	}
	clock := a.Clock.joinOrdered(b.Clock, order)
	switch {
	case asA:
		return clock, a.Siblings
	case asB:
		return clock, b.Siblings
	default:
		return clock, mergeSiblings(a, b, keep)
	}
}

// survivors counts the siblings of each side that survive a join, and those of
// them that both sides hold.
type survivors struct{ a, b, both int }

func survivorsOf(a, b *State) survivors {
	var n survivors
	i, j := 0, 0
	for i < len(a.Siblings) || j < len(b.Siblings) {
		switch side(a.Siblings, i, b.Siblings, j) {
		case 0:
			n.a++
			n.b++
			n.both++
			i++
			j++
		case -1:
			if !b.Clock.Covers(a.Siblings[i].Dot) {
				n.a++
			}
			i++
		default:
			if !a.Clock.Covers(b.Siblings[j].Dot) {
				n.b++
			}
			j++
		}
	}
	return n
}

// mergeSiblings returns the survivors of both. It indexes: appending siblings, of seven
// words each, one by one takes longer.
func mergeSiblings(a, b *State, keep survivors) []Sibling {
	size := keep.a + keep.b - keep.both
	if size == 0 {
		return nil
	}
	merged := make([]Sibling, size)
	allOfA, allOfB := keep.a == len(a.Siblings), keep.b == len(b.Siblings)
	n, i, j := 0, 0, 0
	for n < size {
		switch side(a.Siblings, i, b.Siblings, j) {
		case 0:
			merged[n] = a.Siblings[i]
			n++
			i++
			j++
		case -1:
			if allOfA || !b.Clock.Covers(a.Siblings[i].Dot) {
				merged[n] = a.Siblings[i]
				n++
			}
			i++
		default:
			if allOfB || !a.Clock.Covers(b.Siblings[j].Dot) {
				merged[n] = b.Siblings[j]
				n++
			}
			j++
		}
	}
	return merged
}

// side tells which of two ascending lists, a from i and b from j, not both empty,
// has the next dot: -1 the first, 1 the second, 0 both.
func side(a []Sibling, i int, b []Sibling, j int) int {
	switch {
	case j == len(b):
		return -1
	case i == len(a):
		return 1
	default:
		return CompareDots(a[i].Dot, b[j].Dot)
	}
}
