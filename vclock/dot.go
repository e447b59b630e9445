package vclock

import "fmt"

// An Actor identifies a causal chain of writes to a key: each later write of
// an actor covers the actor's earlier ones (invariant 1 of the package).
// The lower 8 bits are the lane within the block that a coordinator reserved.
type Actor uint64

const (
	// Lanes is the number of actors in one coordinator's block.
	Lanes = 256

	laneMask Actor = Lanes - 1
)

// Block returns the first actor of a's block.
func (a Actor) Block() Actor { return a &^ laneMask }

// Lane returns a's place within its block, 0 to 255.
func (a Actor) Lane() int { return int(a & laneMask) }

// String returns the block in hexadecimal, then the lane, for logs: 5ad1f00dcafe01/0.
func (a Actor) String() string { return fmt.Sprintf("%014x/%d", uint64(a)/Lanes, a.Lane()) }

// A Dot names one write, for ever and everywhere. The zero Dot names none.
type Dot struct {
	Actor Actor
	Stamp Stamp
}

// IsZero reports whether d names no write.
func (d Dot) IsZero() bool { return d == Dot{} }

// String returns the dot as actor@stamp, for logs. The zero Dot is "none".
func (d Dot) String() string {
	if d.IsZero() {
		return "none"
	}
	return d.Actor.String() + "@" + d.Stamp.String()
}

// CompareDots orders dots by actor, then stamp: the order of a Clock's entries
// and of a State's siblings.
func CompareDots(a, b Dot) int {
	switch {
	case a == b:
		return 0
	case a.Actor < b.Actor || a.Actor == b.Actor && a.Stamp < b.Stamp:
		return -1
	default:
		return 1
	}
}

// CompareByStamp orders dots by stamp, then actor: the order of the default
// resolver and of last-write-wins tenants.
func CompareByStamp(a, b Dot) int {
	switch {
	case a == b:
		return 0
	case a.Stamp < b.Stamp || a.Stamp == b.Stamp && a.Actor < b.Actor:
		return -1
	default:
		return 1
	}
}
