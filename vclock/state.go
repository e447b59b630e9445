package vclock

import (
	"slices"
	"time"
	"unsafe"
)

// A Policy says what becomes of concurrent writes. It is fixed per tenant.
type Policy uint8

const (
	// Causal keeps every write that no later write's context covers, as siblings.
	Causal Policy = iota
	// LastWriteWins keeps the one write with the greatest (stamp, actor), and no clock.
	LastWriteWins
)

// String returns the policy's name, for logs.
func (p Policy) String() string {
	switch p {
	case Causal:
		return "causal"
	case LastWriteWins:
		return "last write wins"
	default:
		return "unknown policy"
	}
}

// A Sibling is one live value of a key, or a tombstone.
type Sibling struct {
	Dot       Dot
	Value     []byte // nil for a tombstone
	Tombstone bool
	Expires   int64 // Unix milliseconds; 0 is never. Judged by the reader.
}

// DeletedAt reports whether the sibling reads as deleted at now: it is a
// tombstone, or it has expired.
func (s Sibling) DeletedAt(now time.Time) bool {
	return s.Tombstone || s.Expires != 0 && s.Expires <= now.UnixMilli()
}

// A State is all that a replica holds for one key. The zero State is an absent
// key. Siblings are strictly ascending by CompareDots. In a Causal state every
// sibling's dot is covered by Clock, and Clock is not empty unless Siblings is;
// in a LastWriteWins state there is at most one sibling, and no clock.
//
// States are immutable once made: Join and the codec share the slices of their
// arguments, values included.
type State struct {
	Clock    Clock
	Siblings []Sibling
}

// IsZero reports whether the state is that of an absent key.
func (s State) IsZero() bool { return len(s.Clock) == 0 && len(s.Siblings) == 0 }

// WriteState returns the state that a write is: one sibling, and for Causal the
// clock that has seen what the write's context ctx has, and the write itself.
//
// Its clock and its sibling are two pieces of memory, as are those of every state: the
// clock lives on in contexts, and would keep the values alive.
func WriteState(p Policy, ctx Clock, s Sibling) State {
	w := State{Siblings: []Sibling{s}}
	if p == Causal {
		w.Clock = ctx.With(s.Dot)
	}
	return w
}

// Sibling returns the live sibling that d names.
func (s State) Sibling(d Dot) (Sibling, bool) {
	for i := range s.Siblings {
		if s.Siblings[i].Dot == d {
			return s.Siblings[i], true
		}
	}
	return Sibling{}, false
}

// Has reports whether the write that d names is among the live siblings.
func (s State) Has(d Dot) bool {
	return slices.ContainsFunc(s.Siblings, func(sib Sibling) bool { return sib.Dot == d })
}

// Covers reports whether joining the write that d names into s would change
// nothing: Causal, the clock covers d; LastWriteWins, s holds d or a write that
// beats it.
func (s State) Covers(p Policy, d Dot) bool {
	if p == Causal {
		return s.Clock.Covers(d)
	}
	return slices.ContainsFunc(s.Siblings, func(sib Sibling) bool { return CompareByStamp(sib.Dot, d) >= 0 })
}

// Equal reports whether both states have the same clock and the same sibling
// dots. A dot names one write, so values are not looked at.
func (s State) Equal(o State) bool {
	return slices.Equal(s.Clock, o.Clock) &&
		slices.EqualFunc(s.Siblings, o.Siblings, func(x, y Sibling) bool { return x.Dot == y.Dot })
}

// Size returns an estimate of the memory that the state takes, in bytes: its
// values, and a fixed amount per sibling and clock entry.
func (s State) Size() int {
	const perSibling, perEntry = int(unsafe.Sizeof(Sibling{})), int(unsafe.Sizeof(Dot{}))
	size := len(s.Siblings)*perSibling + len(s.Clock)*perEntry
	for i := range s.Siblings {
		size += len(s.Siblings[i].Value)
	}
	return size
}

// WithoutValues returns the state with its siblings' values left out. The clock
// is shared.
func (s State) WithoutValues() State {
	bare := State{Clock: s.Clock, Siblings: slices.Clone(s.Siblings)}
	for i := range bare.Siblings {
		bare.Siblings[i].Value = nil
	}
	return bare
}

// Validate returns an error that wraps ErrMalformed unless s keeps the rules of
// its type, and has a sibling if it has a clock. (A clock sent alone, as some
// answers of a node do, is judged by Clock.Validate.)
func (s State) Validate(p Policy) error {
	if p == Causal && len(s.Clock) > 0 && len(s.Siblings) == 0 {
		return malformed("state has a clock and no sibling")
	}
	return s.validateParts(p)
}

// validateParts is what holds for every state that Join can return, also when
// its arguments were forged so that each covers the other (invariant 3).
func (s State) validateParts(p Policy) error {
	if err := s.Clock.Validate(); err != nil {
		return err
	}
	switch {
	case p > LastWriteWins:
		return malformed("policy %d is unknown", p)
	case p == LastWriteWins && len(s.Clock) > 0:
		return malformed("last-write-wins state has a clock")
	case p == LastWriteWins && len(s.Siblings) > 1:
		return malformed("last-write-wins state has %d siblings", len(s.Siblings))
	}
	for i := range s.Siblings {
		sib := &s.Siblings[i]
		switch {
		case sib.Dot.Stamp == 0:
			return malformed("sibling %d: stamp is zero", i)
		case i > 0 && CompareDots(s.Siblings[i-1].Dot, sib.Dot) >= 0:
			return malformed("sibling %d: dots are not ascending", i)
		case p == Causal && !s.Clock.Covers(sib.Dot):
			return malformed("sibling %d: the clock does not cover its dot", i)
		case sib.Tombstone && len(sib.Value) > 0:
			return malformed("sibling %d: tombstone has a value", i)
		case sib.Expires < 0:
			return malformed("sibling %d: expiry is negative", i)
		}
	}
	return nil
}
