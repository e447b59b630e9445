package quorum

// A Fate says what is known of a dot after it was sent to its owners once more,
// by a coordinator that cannot know what became of earlier attempts.
type Fate uint8

// The fates. The zero Fate is Unclear.
const (
	// Unclear: no owner is known to hold it, and some owner may, or may yet.
	Unclear Fate = iota
	// NeverApplied: no owner holds it, and none ever will, whatever is still on
	// its way: all of them have refused it as TooOld (invariant 9).
	NeverApplied
	// Applied: some owner said that it holds it, or something on top of it; for
	// LastWriteWins also something that beats it. So it may have been seen, and must not
	// be written anew. At how many owners it is, and whether on disk, is not said:
	// that is what a Settle finds out and mends.
	Applied
)

// String returns the fate's name, for logs.
func (f Fate) String() string {
	switch f {
	case Unclear:
		return "unclear"
	case NeverApplied:
		return "never applied"
	case Applied:
		return "applied"
	default:
		return "unknown fate"
	}
}

// Fate tells what became of the dot over all attempts that anybody ever made to
// store it, where NotApplied speaks of this machine's alone. The set is empty
// unless the fate is Applied: then it is the owners that hold the dot, by their
// acknowledgement or as TooOldSeen, amnesiac ones included, since what those hold
// they have got since.
//
// It is to be asked when nothing is outstanding, which is later than Step.Done: a
// write is Lost as soon as too many owners have refused it. Asked before, it
// is Applied or Unclear. A machine never takes back NeverApplied or Applied.
func (w *Write) Fate() (Fate, Set) {
	if holders := w.applied | w.seen; holders != 0 {
		return Applied, holders
	}
	union, refused := w.quota.owners.Union(), w.refusedForEver()
	if union == 0 { // Init has failed, or was not called
		return Unclear, 0
	}
	if refused == union || w.without.has(decideByLevel) && w.quota.met(refused) {
		return NeverApplied, 0
	}
	return Unclear, 0
}

// Aged returns the owners that have refused the write for its age, whether they
// have seen it or not.
func (w *Write) Aged() Set { return w.unseen | w.seen }

// Doubtful returns the owners of which it is not known whether they hold the
// dot, or may take it yet: those that are down, have not answered, have refused it for
// another reason than its age, or are amnesiac and have not acknowledged it. While
// the fate is Unclear it is who would have to be asked again.
func (w *Write) Doubtful() Set {
	return w.quota.owners.Union() &^ (w.applied | w.seen | w.refusedForEver())
}

// refusedForEver are the owners that do not hold the dot and take it from no
// client any more. An amnesiac does not know what it has held.
func (w *Write) refusedForEver() Set {
	if w.without.has(believeAmnesiacs) {
		return w.unseen
	}
	return w.unseen &^ w.amnesiac
}
