package vclock

// A Clock is a version vector: for each actor the greatest stamp seen. Entries
// are strictly ascending by actor, stamps are not zero; the nil Clock has seen
// nothing. Clocks are immutable: every function that grows one returns another
// (or one of its arguments, unchanged), so they may be shared.
type Clock []Dot

// An Order is the outcome of comparing two clocks.
type Order uint8

// The four outcomes of Clock.Compare. The zero Order is Equal.
const (
	Equal      Order = iota // both have seen the same writes
	Before                  // the receiver has seen strictly less
	After                   // the receiver has seen strictly more
	Concurrent              // each has seen a write that the other has not
)
