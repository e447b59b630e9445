package node

import "sync/atomic"

// A window is the floor beneath which a client's write is too old, in Unix
// milliseconds. It never goes back, whatever the clock does; invariant 6 of the
// package keeps it over restarts.
type window struct{ floor atomic.Int64 }

// raise lifts the floor to at least to, and returns it.
func (w *window) raise(to int64) int64 {
	for {
		floor := w.floor.Load()
		if to <= floor {
			return floor
		}
		if w.floor.CompareAndSwap(floor, to) {
			return to
		}
	}
}
