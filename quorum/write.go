package quorum

import "github.com/devrev/pairdb/vclock"

// WriteParams is what a Write is made of.
type WriteParams struct {
	Owners Owners
	Level  Level
	Policy vclock.Policy

	// Context is what the write covers, without its own dot: all of it was
	// read before the dot was minted (invariant 5). Nil for LastWriteWins.
	Context vclock.Clock
	// Sibling is the written dot and value. It is shared, not copied.
	Sibling vclock.Sibling

	// Down are owners that can be sent nothing at the moment. They are not
	// asked, and count as NotSent from the start.
	Down Set
	// Amnesiac are owners known to have lost their store. They are sent the
	// write, and counted for no quorum (invariant 3).
	Amnesiac Set
}

// An Ack is an owner's answer to a merge that it has applied, on disk.
type Ack struct {
	// Live says that the written dot is among the siblings that the owner
	// holds. Otherwise a write that covers it was there before, which
	// acknowledges this one too.
	Live bool
	// State is zero when the owner holds exactly what was sent; the clock alone
	// when Live; else the whole state. For LastWriteWins it is the winning
	// sibling, without its value.
	State vclock.State
	// ValuesMissing says that State's siblings came without their values, so
	// that it is no use as a repair.
	ValuesMissing bool
	// Amnesiac says that the owner was found, with this answer, to have lost its
	// store: the write is stored there, and counts for nothing.
	Amnesiac bool
}

// A Write decides one write. It is one value for a pooled request to embed; it is
// not safe for concurrent use, and must be set up by Init. Init allocates the state
// that is sent; no later step allocates unless a repair comes of it.
//
// Call Start once, then Reply, Fail or Refuse once for each owner that its step's
// Merge named, in any order, also after the outcome is decided: that is the tail.
// What comes twice, or from an owner that was not asked, is ignored.
type Write struct {
	quota   quota
	policy  vclock.Policy
	dot     vclock.Dot
	down    Set
	without rules

	started bool
	outcome Outcome
	state   vclock.State // what is sent

	out      Set // attempts that are not settled
	applied  Set // acknowledged, counted or not
	amnesiac Set
	traced   bool // some attempt was applied, or may have been
	unseen   Set  // refused as TooOld
	seen     Set  // refused as TooOldSeen

	later      vclock.Stamp
	superseded bool // LastWriteWins: a counted acknowledgement showed a greater dot

	// Causal: what was written on top of this write, and who lacks it.
	successor vclock.State
	live      Set // owners whose acknowledgement held the written dot
	repaired  Set // owners to whom successor was given already
}

// Init sets w up for one write, whatever it was used for before. Errors:
// *LevelError (which is ErrLevel) if an owner set is too small for the level,
// ErrOwners.
func (w *Write) Init(p WriteParams) error {
	q, err := newQuota(p.Owners, p.Level)
	if err != nil {
		*w = Write{}
		return err
	}
	*w = Write{
		quota:    q,
		policy:   p.Policy,
		dot:      p.Sibling.Dot,
		down:     p.Down,
		amnesiac: p.Amnesiac,
		state:    vclock.WriteState(p.Policy, p.Context, p.Sibling),
	}
	return nil
}

// Start sends the write to all owners at once, those that are down left out. If
// those that are down or amnesiac put the level out of reach already, it sends
// nothing, and the write is Lost and NotApplied.
func (w *Write) Start() Step {
	if w.started || w.outcome != Pending {
		return Step{}
	}
	w.started = true
	reachable := w.quota.owners.Union() &^ w.down
	if !w.quota.met(w.counting(reachable)) {
		w.outcome = Lost
		return Step{Done: true}
	}
	w.out = reachable
	return Step{Merge: reachable}
}

// Reply takes owner i's acknowledgement.
func (w *Write) Reply(i int, a Ack) Step {
	if !w.settle(i) {
		return Step{}
	}
	w.traced = true
	w.later = max(w.later, newest(a.State))
	if a.Amnesiac {
		w.amnesiac = w.amnesiac.With(i)
	}
	w.take(i, a)
	return w.advance()
}

// A Refusal says why an owner's attempt brought no acknowledgement, and by whom.
type Refusal struct {
	Failure Failure
	// Amnesiac says that the owner was found, with this answer, to have lost its
	// store: that it has not seen the dot then says nothing (invariant 9).
	Amnesiac bool
}

// Fail is Refuse for an owner that is no more amnesiac than was known.
func (w *Write) Fail(i int, f Failure) Step { return w.Refuse(i, Refusal{Failure: f}) }

// Refuse takes the news that owner i's attempt brought no acknowledgement.
func (w *Write) Refuse(i int, r Refusal) Step {
	if !w.settle(i) {
		return Step{}
	}
	if r.Amnesiac {
		w.amnesiac = w.amnesiac.With(i)
	}
	switch r.Failure {
	case NotSent:
	case Refused:
		if w.without.has(ageByOwnClock) {
			w.unseen = w.unseen.With(i)
		}
	case TooOld:
		w.unseen = w.unseen.With(i)
	case TooOldSeen:
		w.traced = true
		w.seen = w.seen.With(i)
		if w.without.has(countSeen) {
			w.applied = w.applied.With(i)
		}
	default:
		w.traced = true
	}
	return w.advance()
}

// Cancel says that the caller no longer waits: a write that is Pending is Lost.
// Answers that are outstanding are still to be handed in.
func (w *Write) Cancel() Step {
	if w.outcome != Pending {
		return Step{}
	}
	w.outcome = Lost
	s := Step{Done: true}
	w.repair(&s)
	return s
}

// settle strikes the attempt off, and reports whether there was one.
func (w *Write) settle(i int) bool {
	if !inRange(i) || !w.out.Has(i) {
		return false
	}
	w.out = w.out.Without(i)
	return true
}

// take notes what an acknowledgement shows.
func (w *Write) take(i int, a Ack) {
	w.applied = w.applied.With(i)
	if w.policy == vclock.LastWriteWins {
		counts := w.counting(SetOf(i)) != 0
		w.superseded = w.superseded || counts && (!a.Live || beaten(w.dot, a.State))
		return
	}
	if a.Live {
		w.live = w.live.With(i)
		return
	}
	if a.ValuesMissing || len(a.State.Siblings) == 0 { // a clock alone would take values away
		return
	}
	if known := w.successor; !known.Equal(a.State) {
		w.successor = vclock.Join(w.policy, known, a.State)
		if !w.successor.Equal(known) {
			w.repaired = 0
		}
	}
}

// advance decides what can be decided.
func (w *Write) advance() Step {
	var s Step
	if w.outcome == Pending {
		acked := w.Acked()
		switch {
		case w.quota.met(acked):
			w.outcome, s.Done = Won, true
		case !w.quota.met(acked | w.counting(w.out)):
			w.outcome, s.Done = Lost, true
		}
	}
	w.repair(&s)
	return s
}

// repair gives the write's successors to the owners that hold the write in
// their place: with the decision, and once more when nothing is outstanding.
func (w *Write) repair(s *Step) {
	if w.successor.IsZero() || w.outcome == Pending || !s.Done && w.out != 0 {
		return
	}
	to := w.live &^ w.repaired
	if to == 0 {
		return
	}
	w.repaired |= to
	s.Repairs = []Repair{{To: to, State: w.successor}}
}

// counting leaves out of s the owners that count for no quorum.
func (w *Write) counting(s Set) Set {
	if w.without.has(countAmnesiacs) {
		return s
	}
	return s &^ w.amnesiac
}

// beaten reports whether s holds a sibling greater than the write that d names,
// in the order of last-write-wins tenants.
func beaten(d vclock.Dot, s vclock.State) bool {
	for i := range s.Siblings {
		if vclock.CompareByStamp(s.Siblings[i].Dot, d) > 0 {
			return true
		}
	}
	return false
}

func newest(s vclock.State) vclock.Stamp {
	stamp := s.Clock.Newest()
	for i := range s.Siblings {
		stamp = max(stamp, s.Siblings[i].Dot.Stamp)
	}
	return stamp
}
