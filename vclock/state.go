package vclock

import "time"

// A Policy says what becomes of concurrent writes. It is fixed per tenant.
type Policy uint8

const (
	// Causal keeps every write that no later write's context covers, as siblings.
	Causal Policy = iota
	// LastWriteWins keeps the one write with the greatest (stamp, actor), and no clock.
	LastWriteWins
)

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
