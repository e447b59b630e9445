package quorum

import "github.com/devrev/pairdb/vclock"

// SettleParams is what a Settle is made of.
type SettleParams struct {
	Owners Owners
	Level  Level
	Policy vclock.Policy

	// Dot names the write that is to be settled.
	Dot vclock.Dot
	// Holders are the owners that are known to hold it, as Write.Fate returns
	// them. Replicas that are no owners are left out.
	Holders Set

	// Down are owners that can be sent nothing at the moment. They are neither
	// asked nor sent anything.
	Down Set
	// Amnesiac are owners known to have lost their store. They are asked if they are
	// holders, sent the merge, and counted for no quorum (invariant 3).
	Amnesiac Set
}

// A SettleAnswer is an owner's answer to a Settle: the state that it was asked
// for, or the acknowledgement of the merge, on disk.
type SettleAnswer struct {
	// State is what the owner holds, whole, if it was asked for that. With the
	// acknowledgement of a merge it is what the owner showed: zero, the clock alone, or
	// for LastWriteWins the winning sibling without its value.
	State vclock.State
	// Amnesiac says that the owner was found, with this answer, to have lost its
	// store: what it holds is data, and its acknowledgement counts for nothing.
	Amnesiac bool
}

// A Settle brings a write that some owners hold, and that clients may send no more
// because of its age, to its level: it reads what the holders have, and merges the
// join of that into all owners, as a node's merge, which no age is asked of
// (invariant 10). It is one value for a pooled request to embed; it is not safe
// for concurrent use, and must be set up by Init. No step allocates but for the
// join of states that differ.
//
// Call Start once, then Reply or Fail once for each owner that a step named, in any
// order, also after the outcome is decided. Start's step names in State whom to
// ask; one later step at most names in Merge whom to send Settle.State. What comes
// twice, or from an owner that has nothing outstanding, is ignored.
type Settle struct {
	quota   quota
	policy  vclock.Policy
	dot     vclock.Dot
	holders Set
	down    Set
	without rules

	started bool
	merging bool // the holders have answered or failed, and what they have is being merged
	outcome Outcome

	out      Set // asked or sent to, not settled
	applied  Set // acknowledged the merge, counted or not
	amnesiac Set

	state      vclock.State // the join of what covers the dot
	later      vclock.Stamp
	superseded bool // LastWriteWins: a counted acknowledgement showed a greater dot
}

// Init sets s up for one write, whatever it was used for before. Errors:
// *LevelError (which is ErrLevel) if an owner set is too small for the level,
// ErrOwners.
func (s *Settle) Init(p SettleParams) error {
	q, err := newQuota(p.Owners, p.Level)
	if err != nil {
		*s = Settle{}
		return err
	}
	*s = Settle{
		quota:    q,
		policy:   p.Policy,
		dot:      p.Dot,
		holders:  p.Holders & p.Owners.Union(),
		down:     p.Down,
		amnesiac: p.Amnesiac,
	}
	return nil
}

// Start asks the holders that are not down for their whole state. If there are
// none, or those that are down or amnesiac put the level out of reach already, it
// asks nobody, and is Lost.
func (s *Settle) Start() Step {
	if s.started || s.outcome != Pending {
		return Step{}
	}
	s.started = true
	s.out = s.holders &^ s.down
	if s.out == 0 || !s.reachable() {
		s.out = 0
		return s.decide(Lost)
	}
	return Step{State: s.out}
}

// Reply takes owner i's state, or its acknowledgement of the merge. A state that
// does not cover the dot is that of an owner that has forgotten it, or never had it
// on disk, and counts as a failure.
func (s *Settle) Reply(i int, a SettleAnswer) Step {
	if !s.settle(i) {
		return Step{}
	}
	s.later = max(s.later, newest(a.State))
	if a.Amnesiac {
		s.amnesiac = s.amnesiac.With(i)
	}
	if s.merging {
		s.acknowledge(i, a)
	} else {
		s.take(a.State)
	}
	return s.advance()
}

// Fail takes the news that owner i gave no state, or has not acknowledged the
// merge. What the failure says about the attempt makes no difference: the merge
// repeats what is stored already.
func (s *Settle) Fail(i int, _ Failure) Step {
	if !s.settle(i) {
		return Step{}
	}
	return s.advance()
}

// Cancel says that the caller no longer waits: a Settle that is Pending is Lost,
// and merges nothing that it has not sent. Answers that are outstanding are still to
// be handed in.
func (s *Settle) Cancel() Step {
	if s.outcome != Pending {
		return Step{}
	}
	return s.decide(Lost)
}

// settle strikes the attempt off, and reports whether there was one.
func (s *Settle) settle(i int) bool {
	if !inRange(i) || !s.out.Has(i) {
		return false
	}
	s.out = s.out.Without(i)
	return true
}

// take joins what a holder has. A clock alone would take values away.
func (s *Settle) take(held vclock.State) {
	if s.outcome == Pending && len(held.Siblings) > 0 && held.Covers(s.policy, s.dot) {
		s.state = vclock.Join(s.policy, s.state, held)
	}
}

// acknowledge notes what an acknowledgement of the merge shows.
func (s *Settle) acknowledge(i int, a SettleAnswer) {
	s.applied = s.applied.With(i)
	if s.policy == vclock.LastWriteWins && s.counting(SetOf(i)) != 0 && beaten(s.dot, a.State) {
		s.superseded = true
	}
}

// advance decides what can be decided, and begins the merge when every holder
// has been heard.
func (s *Settle) advance() Step {
	if s.outcome != Pending {
		return Step{}
	}
	switch {
	case s.quota.met(s.Acked()):
		return s.decide(Won)
	case s.merging && !s.quota.met(s.Acked()|s.counting(s.out)), !s.merging && !s.reachable():
		return s.decide(Lost)
	case s.merging || s.out != 0:
		return Step{}
	case s.state.IsZero():
		return s.decide(Lost)
	}
	s.merging = true
	s.out = s.quota.owners.Union() &^ s.down
	return Step{Merge: s.out}
}

func (s *Settle) decide(o Outcome) Step {
	s.outcome = o
	return Step{Done: true}
}

// reachable reports whether the merge can reach the level.
func (s *Settle) reachable() bool {
	return s.quota.met(s.counting(s.quota.owners.Union() &^ s.down))
}

// counting leaves out of set the owners that count for no quorum.
func (s *Settle) counting(set Set) Set {
	if s.without.has(countAmnesiacs) {
		return set
	}
	return set &^ s.amnesiac
}

// State returns what is merged: the join of the holders' states that cover the
// dot. It is the zero State until the step that says so, and never changes after it.
func (s *Settle) State() vclock.State {
	if !s.merging {
		return vclock.State{}
	}
	return s.state
}

// Outcome returns whether the level has been reached by acknowledgements of the
// merge.
func (s *Settle) Outcome() Outcome { return s.outcome }

// Superseded reports whether what is merged does not hold the dot itself, or an
// acknowledgement that counted, so far, showed a greater (stamp, actor): the write
// has been beaten. False for causal tenants, and before the merge.
func (s *Settle) Superseded() bool {
	return s.policy == vclock.LastWriteWins && s.merging && (s.superseded || !s.state.Has(s.dot))
}

// Later returns the greatest stamp that any answer has shown so far; 0 if none
// showed one.
func (s *Settle) Later() vclock.Stamp { return s.later }

// Acked returns the owners whose acknowledgement of the merge counts, those of
// the tail included.
func (s *Settle) Acked() Set { return s.counting(s.applied) }

// Needed describes the owner set that lacks most: how many acknowledgements it
// needs, how many it got, and how many owners it has.
func (s *Settle) Needed() (needed, got, total int) { return s.quota.furthest(s.Acked()) }

// Outstanding returns the owners that were asked or sent to and have not answered.
func (s *Settle) Outstanding() Set { return s.out }

// Missed returns the owners that have not acknowledged the merge so far, those
// that are down included.
func (s *Settle) Missed() Set { return s.quota.owners.Union() &^ s.applied }
