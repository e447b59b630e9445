package vclock

// What Replaces has room for: more than a usual key's state has.
const replacedEntries, replacedSiblings = 8, 2

// Replaces reports whether w, a write (WriteState), replaces wholly what is stored, the binary form of a state: whether
// the state is of policy p and has not seen the write, and Join of the two is w. So it is with most writes, which are
// made on top of all that is stored; then neither the state nor the join needs to be made.
//
// It says no as well of what DecodeState refuses, of a w with several siblings, and of a state too large to be looked at here: then the
// two must be joined to know. w must be valid for p.
func Replaces(p Policy, w *State, stored []byte) bool {
	if len(w.Siblings) != 1 {
		return false
	}
	var dots [replacedEntries]Dot
	var siblings [replacedSiblings]Sibling
	d := decoder{in: stored}
	d.version()
	if Policy(d.byte()) != p {
		return false
	}
	var s State
	n := d.count(minEntryBytes)
	if n > len(dots) {
		return false
	}
	s.Clock = dots[:n]
	d.fillClock(s.Clock)
	if n = d.count(minSiblingBytes); n > len(siblings) {
		return false
	}
	s.Siblings = siblings[:n]
	d.fillSiblings(s.Siblings)
	d.end()
	if d.err != nil || s.validateParts(p) != nil {
		return false
	}
	// What the state has seen, its siblings among it, the write's clock covers.
	return !s.Covers(p, w.Siblings[0].Dot) && (p == LastWriteWins || w.Clock.CoversAll(s.Clock))
}
