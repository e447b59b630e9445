package quorum

import "github.com/devrev/pairdb/vclock"

// State returns what is sent. It is never changed once made.
func (w *Write) State() vclock.State { return w.state }

// Outcome returns whether the write is decided.
func (w *Write) Outcome() Outcome { return w.outcome }

// NotApplied reports whether the write is Lost and will never be visible: every
// attempt at every owner was NotSent, Refused or TooOld, and none is outstanding
// (invariant 4). It may turn true in the tail, and stays so. It speaks of the
// attempts of this machine: of a dot that was sent before, only Fate can speak.
func (w *Write) NotApplied() bool {
	if w.outcome != Lost {
		return false
	}
	if w.without.has(forgetUnanswered) {
		return w.applied == 0
	}
	return !w.traced && w.out == 0
}

// Superseded reports whether an acknowledgement that counted, so far, showed a
// greater (stamp, actor): the write is stored nowhere and another has won. False
// for causal tenants.
func (w *Write) Superseded() bool { return w.superseded }

// Later returns the greatest stamp that any acknowledgement has shown so far; 0
// if none showed one.
func (w *Write) Later() vclock.Stamp { return w.later }

// Acked returns the owners whose acknowledgement counts, those of the tail
// included.
func (w *Write) Acked() Set { return w.counting(w.applied) }

// Needed describes the owner set that lacks most: how many acknowledgements it
// needs, how many it got, and how many owners it has.
func (w *Write) Needed() (needed, got, total int) { return w.quota.furthest(w.Acked()) }

// Context returns what a reader of this write has seen: what the write covers,
// and the written dot. Nil for LastWriteWins.
func (w *Write) Context() vclock.Clock { return w.state.Clock }

// Outstanding returns the owners with an attempt that is not settled.
func (w *Write) Outstanding() Set { return w.out }

// Missed returns the owners that have not acknowledged so far, those that are
// down included. When the tail ends it is whom to leave a hint for.
func (w *Write) Missed() Set { return w.quota.owners.Union() &^ w.applied }
