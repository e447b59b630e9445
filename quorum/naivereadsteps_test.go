package quorum

import "github.com/devrev/pairdb/vclock"

func (n *naiveRead) finish(o Outcome) {
	n.outcome = o
	n.step = Step{Done: true}
	if o == Won {
		n.result = n.joined()
	}
}

func (n *naiveRead) joined() vclock.State {
	var s vclock.State
	for _, x := range n.log {
		if x.word == toldState {
			s = vclock.Join(n.p.Policy, x.state, s)
		}
	}
	return s
}

// where returns the owners of whom holds is true.
func (n *naiveRead) where(holds func(i int) bool) Set {
	var s Set
	for _, i := range n.p.Order {
		if holds(int(i)) {
			s = s.With(int(i))
		}
	}
	return s
}

func (n *naiveRead) counted() Set {
	states := n.onlyStates()
	return n.where(func(i int) bool {
		return !n.amnesiac(i) && (n.has(i, toldState) || !states && n.has(i, toldDigest))
	})
}

func (n *naiveRead) enough(s Set) bool {
	return naiveWrite{p: WriteParams{Owners: n.p.Owners, Level: n.p.Level}}.enough(s)
}

// stateOf whom is there: a whole state that counts, or the prospect of one.
func (n *naiveRead) haveState() bool {
	return n.where(func(i int) bool { return !n.amnesiac(i) && n.has(i, toldState) }) != 0
}

func (n *naiveRead) expectState() bool {
	return n.haveState() || n.where(func(i int) bool { return n.last(i) == askedState }) != 0
}

func (n *naiveRead) goOn() {
	if n.outcome == Pending {
		n.decide()
	}
	n.repair()
}

func (n *naiveRead) decide() {
	if n.enough(n.counted()) && n.haveState() {
		n.finish(Won)
		return
	}
	hope := n.counted() | n.where(func(i int) bool {
		again := n.has(i, toldDigest) && !n.has(i, toldState) && !n.barren(i)
		return !n.amnesiac(i) && (n.waiting(i) || n.askable(i) || again)
	})
	if !n.enough(hope) {
		n.finish(Lost)
		return
	}
	if n.onlyStates() {
		for _, i := range n.p.Order {
			if n.askableAgain(int(i)) {
				n.ask(int(i), true)
			}
		}
	}
	for n.askNext() {
	}
	if !n.expectState() {
		n.seekState()
	}
	if n.where(n.waiting) == 0 {
		n.finish(Lost)
	}
}

func (n *naiveRead) askableAgain(i int) bool {
	return n.has(i, toldDigest) && !n.has(i, toldState) && !n.barren(i) && !n.waiting(i) && !n.amnesiac(i)
}

// askNext asks the first owner whose answer the level lacks, if all that is on
// its way comes in.
func (n *naiveRead) askNext() bool {
	coming := n.counted() | n.where(func(i int) bool { return n.waiting(i) && !n.amnesiac(i) })
	for _, i := range n.p.Order {
		if n.askable(int(i)) && n.lacks(coming, int(i)) {
			n.ask(int(i), n.onlyStates() || !n.expectState())
			return true
		}
	}
	return false
}

// lacks reports whether i is in a set of which s has too few.
func (n *naiveRead) lacks(s Set, i int) bool {
	for _, owners := range [...]Set{n.p.Owners.Old, n.p.Owners.New} {
		if owners.Has(i) && (owners&s).Len() < naiveNeed(n.p.Level, owners.Len()) {
			return true
		}
	}
	return false
}

func (n *naiveRead) seekState() {
	for _, i := range n.p.Order {
		if n.askableAgain(int(i)) {
			n.ask(int(i), true)
			return
		}
	}
	for _, i := range n.p.Order {
		if n.where(n.waiting) == 0 && n.askable(int(i)) {
			n.ask(int(i), true)
			return
		}
	}
}

func (n *naiveRead) hedge() {
	if n.outcome != Pending || n.where(n.waiting) == 0 {
		return
	}
	full := n.enough(n.counted())
	for _, i := range n.p.Order {
		if n.askable(int(i)) && (full || n.lacks(n.counted(), int(i))) {
			n.ask(int(i), n.onlyStates() || !n.haveState())
			return
		}
	}
	for _, i := range n.p.Order {
		if n.askableAgain(int(i)) && !n.haveState() {
			n.ask(int(i), true)
			return
		}
	}
}

func (n *naiveRead) ask(i int, whole bool) {
	switch {
	case !whole:
		n.log = append(n.log, note{owner: i, word: askedDigest})
		n.step.Digest = n.step.Digest.With(i)
		return
	case n.p.ClockOnly:
		n.step.Clock = n.step.Clock.With(i)
	default:
		n.step.State = n.step.State.With(i)
	}
	n.log = append(n.log, note{owner: i, word: askedState})
}

// repair gives the joined state to those whose last word was another, unless
// they were given the very same before.
func (n *naiveRead) repair() {
	joined := n.joined()
	if n.outcome != Won || n.p.ClockOnly || joined.IsZero() {
		return
	}
	to := n.where(func(i int) bool {
		differs := false
		for _, x := range n.log {
			switch {
			case x.owner != i:
			case x.word == repaired && x.state.Equal(joined):
				return false
			case x.word == toldState || x.word == toldDigest:
				differs = x.print != joined.Digest()
			}
		}
		return differs
	})
	for i := range to.All {
		n.log = append(n.log, note{owner: i, word: repaired, state: joined})
	}
	if to != 0 {
		n.step.Repairs = []Repair{{To: to, State: joined}}
	}
}
