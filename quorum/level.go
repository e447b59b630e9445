package quorum

import (
	"fmt"
	"strings"
)

// A Level says how many owners must answer before a request has succeeded.
type Level uint8

// The levels. The zero Level is Default: "what the next wider setting says"
// (call, then tenant, then client).
const (
	Default Level = iota
	One
	Two
	Three
	Quorum // ⌊N/2⌋+1
	All
)

// levels is every level, in the order of their values.
var levels = [...]string{"default", "one", "two", "three", "quorum", "all"}

// ParseLevel returns the level whose String is name, in any case. The error
// wraps ErrUnknownLevel.
func ParseLevel(name string) (Level, error) {
	for l, known := range levels {
		if strings.EqualFold(name, known) {
			return Level(l), nil
		}
	}
	return Default, fmt.Errorf("%w: %q", ErrUnknownLevel, name)
}

// String returns the level's name in lower case.
func (l Level) String() string {
	if int(l) < len(levels) {
		return levels[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// Need returns how many of n owners must answer, and whether n owners can give
// that at all: Two of one owner cannot be had. Default and unknown levels need 0 and
// cannot be had.
func (l Level) Need(n int) (need int, ok bool) {
	switch l {
	case One, Two, Three:
		need = int(l - One + 1)
	case Quorum:
		need = n/2 + 1
	case All:
		need = n
	case Default:
		return 0, false
	default:
		return 0, false
	}
	return need, need > 0 && need <= n
}

// Max returns the one of l and o that needs more of n owners, l when they need
// the same. It serves the clock read before a write that is to cover what is there, which must meet
// both the earlier writes' quorums and this one's (invariant 6 of the package).
func (l Level) Max(o Level, n int) Level {
	mine, _ := l.Need(n)
	others, _ := o.Need(n)
	if others > mine {
		return o
	}
	return l
}
