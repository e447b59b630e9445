package node

import "sync/atomic"

// A window is the floor beneath which a client's write is too old, in Unix
// milliseconds: the window's length before the clock, and never beneath what a
// refusal relies on, whatever the clock does. Only refusals raise it, each just
// above its own dot: a clock that was ahead for a moment leaves nothing behind.
// Invariant 6 of the package keeps it over restarts. Whoever relies on it for
// another reason than a refusal must raise it too.
type window struct{ relied atomic.Int64 }

// floor returns the floor at a time that is the window's length before the clock.
func (w *window) floor(oldest int64) int64 { return max(oldest, w.relied.Load()) }

// rely keeps the floor at or above to from then on.
func (w *window) rely(to int64) {
	for {
		relied := w.relied.Load()
		if to <= relied || w.relied.CompareAndSwap(relied, to) {
			return
		}
	}
}
