package quorum

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
