package vclock

import (
	"fmt"
	"slices"
)

// checkHeld compares a replica with the oracle: what is live is what reached it
// and no other write that reached it has seen.
func (h *history) checkHeld(replica, key int, at *held) {
	var buf [maxVersions]Dot
	live, last := buf[:0], Dot{}
	for i, v := range h.versions {
		if !at.got.has(i) {
			continue
		}
		if !at.past.has(i) {
			live = append(live, v.dot)
		}
		if last.IsZero() || CompareByStamp(v.dot, last) > 0 {
			last = v.dot
		}
	}
	slices.SortFunc(live, CompareDots)
	if !slices.EqualFunc(live, at.state.Siblings, func(d Dot, s Sibling) bool { return d == s.Dot }) {
		h.fail("key %d on replica %d: histories say %v are live, the state %v", key, replica, live, at.state)
	}
	if !last.IsZero() && (len(at.last.Siblings) != 1 || at.last.Siblings[0].Dot != last) {
		h.fail("key %d on replica %d: %v was written last, the state says %v", key, replica, last, at.last)
	}
	if h.off == 0 && len(at.state.Clock) > 0 {
		if err := at.state.Validate(Causal); err != nil {
			h.fail("key %d on replica %d: %w", key, replica, err)
		}
	}
}

// checkExact requires "covered by the clock" to mean "in the causal history".
func (h *history) checkExact(key int, k known) {
	for i, v := range h.versions {
		if h.off == 0 && v.key == key && k.clock.Covers(v.dot) != k.past.has(i) {
			h.fail("key %d: clock %v, %v: covered %v, seen %v", key, k.clock, v.dot, k.clock.Covers(v.dot), k.past.has(i))
		}
	}
}

func (h *history) checkMinted(dot Dot, key int, ctx known) {
	h.checkExact(key, ctx)
	if ctx.clock.Covers(dot) {
		h.fail("key %d: minted %v, which its context covers", key, dot)
	}
	for _, v := range h.versions {
		if v.key == key && v.dot == dot {
			h.fail("key %d: minted %v twice", key, dot)
		}
	}
}

func (h *history) fail(format string, args ...any) {
	if h.err == nil {
		h.err = fmt.Errorf(format, args...)
	}
}
