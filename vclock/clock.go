package vclock

import "sort"

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

// String returns the order's name, for logs.
func (o Order) String() string {
	switch o {
	case Equal:
		return "equal"
	case Before:
		return "before"
	case After:
		return "after"
	case Concurrent:
		return "concurrent"
	default:
		return "unknown order"
	}
}

// linearUpTo is the length up to which walking a clock beats halving it.
const linearUpTo = 8

// Stamp returns the greatest stamp that c has seen of a; 0 if it has seen none.
func (c Clock) Stamp(a Actor) Stamp {
	if len(c) > linearUpTo {
		i := c.search(a)
		c = c[i:min(i+1, len(c))] // the only entry that can be a's
	}
	for i := range c {
		if c[i].Actor == a {
			return c[i].Stamp
		}
	}
	return 0
}

// Covers reports whether c has seen the write that d names. The zero Dot, which
// names none, is covered by every clock.
func (c Clock) Covers(d Dot) bool { return d.Stamp <= c.Stamp(d.Actor) }

// CoversAll reports whether c has seen everything that o has.
func (c Clock) CoversAll(o Clock) bool {
	if len(o) > len(c) {
		return false
	}
	i := 0
	for _, d := range o {
		for i < len(c) && c[i].Actor < d.Actor {
			i++
		}
		if i == len(c) || c[i].Actor != d.Actor || c[i].Stamp < d.Stamp {
			return false
		}
		i++
	}
	return true
}

// Compare tells which of c and o has seen more.
func (c Clock) Compare(o Clock) Order {
	if len(c) == len(o) && (len(c) == 0 || &c[0] == &o[0]) {
		return Equal
	}
	less, more := false, false
	i, j := 0, 0
	for {
		// Copies of one key mostly know the same actors: go along both as long as they do.
		for i < len(c) && j < len(o) && c[i].Actor == o[j].Actor {
			if c[i].Stamp < o[j].Stamp {
				less = true
			}
			if c[i].Stamp > o[j].Stamp {
				more = true
			}
			i++
			j++
		}
		if i == len(c) || j == len(o) || less && more {
			return orderOf(less || j < len(o), more || i < len(c))
		}
		if c[i].Actor < o[j].Actor {
			more = true
			i++
		} else {
			less = true
			j++
		}
	}
}

func orderOf(less, more bool) Order {
	switch {
	case less && more:
		return Concurrent
	case less:
		return Before
	case more:
		return After
	default:
		return Equal
	}
}

// With returns the clock that has seen d besides what c has: c itself if it
// covers d, else a fresh one.
func (c Clock) With(d Dot) Clock {
	if c.Covers(d) {
		return c
	}
	i := c.search(d.Actor)
	if i < len(c) && c[i].Actor == d.Actor {
		grown := make(Clock, len(c))
		copy(grown, c)
		grown[i].Stamp = d.Stamp
		return grown
	}
	grown := make(Clock, len(c)+1)
	copy(grown, c[:i])
	grown[i] = d
	copy(grown[i+1:], c[i:])
	return grown
}

// Join returns the clock that has seen what either has: an argument itself when
// it covers the other (c when they are equal), else a fresh one.
func (c Clock) Join(o Clock) Clock { return c.joinOrdered(o, c.Compare(o)) }

// joinOrdered is Join for a caller that has compared the two already.
func (c Clock) joinOrdered(o Clock, order Order) Clock {
	switch order {
	case Equal, After:
		return c
	case Before:
		return o
	default:
		return c.merge(o)
	}
}

func (c Clock) merge(o Clock) Clock {
	merged := make(Clock, len(c)+len(o)-c.shared(o))
	i, j := 0, 0
	for n := range merged {
		switch {
		case j == len(o) || i < len(c) && c[i].Actor < o[j].Actor:
			merged[n] = c[i]
			i++
		case i == len(c) || o[j].Actor < c[i].Actor:
			merged[n] = o[j]
			j++
		default:
			merged[n] = Dot{Actor: c[i].Actor, Stamp: max(c[i].Stamp, o[j].Stamp)}
			i++
			j++
		}
	}
	return merged
}

// shared counts the actors that both clocks know, so that merge allocates exactly.
func (c Clock) shared(o Clock) int {
	n, i := 0, 0
	for _, d := range o {
		for i < len(c) && c[i].Actor < d.Actor {
			i++
		}
		if i < len(c) && c[i].Actor == d.Actor {
			n++
		}
	}
	return n
}

// Newest returns the greatest stamp of any entry; 0 if c is empty.
func (c Clock) Newest() Stamp {
	var newest Stamp
	for i := range c {
		newest = max(newest, c[i].Stamp)
	}
	return newest
}

// Validate returns an error that wraps ErrMalformed unless c keeps the rules of
// its type. Every function of this package assumes clocks that do.
func (c Clock) Validate() error {
	for i, d := range c {
		if d.Stamp == 0 {
			return malformed("clock entry %d: stamp is zero", i)
		}
		if i > 0 && d.Actor <= c[i-1].Actor {
			return malformed("clock entry %d: actors are not ascending", i)
		}
	}
	return nil
}

// search returns the place of the first entry whose actor is not below a.
func (c Clock) search(a Actor) int {
	if len(c) > linearUpTo {
		return sort.Search(len(c), func(i int) bool { return c[i].Actor >= a })
	}
	i := 0
	for i < len(c) && c[i].Actor < a {
		i++
	}
	return i
}
