package vclock

// An HLC is a hybrid logical clock: it follows the caller's wall clock and never
// goes back, whatever the wall clock does. The zero HLC is ready. It reads no
// time itself, and the caller guards it against concurrent use.
type HLC struct {
	last Stamp
}

// Next returns a stamp that is strictly greater than every stamp that h has
// returned or adopted, and at least nowMillis (Unix milliseconds, clamped to
// [0, MaxMillis]). When a millisecond's 65,536 stamps are used up, the next
// millisecond is taken early.
func (h *HLC) Next(nowMillis int64) Stamp {
	h.last = max(h.last+1, StampOf(nowMillis, 0))
	return h.last
}

// Observe moves h past s, a stamp that somebody else made, unless s is more than
// maxAheadMillis ahead of nowMillis: one clock that is far wrong must not drag
// every other one along. It reports whether h is at or past s.
func (h *HLC) Observe(s Stamp, nowMillis, maxAheadMillis int64) (adopted bool) {
	if s <= h.last {
		return true
	}
	now := min(max(nowMillis, 0), MaxMillis)
	// The last millisecond of all is never adopted, so that Next cannot wrap round.
	if s.Millis()-now > maxAheadMillis || s.Millis() == MaxMillis {
		return false
	}
	h.last = s
	return true
}

// Last returns the greatest stamp that h has returned or adopted; 0 if none.
func (h *HLC) Last() Stamp { return h.last }
