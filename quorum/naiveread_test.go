package quorum

import (
	"slices"

	"github.com/devrev/pairdb/vclock"
)

// A readEvent is one call on a Read, after Start.
type readEvent struct {
	what    readCall
	replica int
	answer  Answer
}

type readCall uint8

const (
	replies readCall = iota
	fails
	hedges
	cancels
)

// readView is everything that a driver can see of a Read after an event.
type readView struct {
	Step                        Step
	Outcome                     Outcome
	Result                      vclock.State
	Answered, Outstanding, Late Set
	Needed, Got, Total          int
}

func viewRead(r *Read, s Step) readView {
	v := readView{
		Step: s, Outcome: r.Outcome(), Result: r.Result(),
		Answered: r.Answered(), Outstanding: r.Outstanding(), Late: r.Late(),
	}
	v.Needed, v.Got, v.Total = r.Needed()
	return v
}

func (v readView) equal(o readView) bool {
	return v.Step.State == o.Step.State && v.Step.Digest == o.Step.Digest && v.Step.Clock == o.Step.Clock &&
		v.Step.Done == o.Step.Done && slices.EqualFunc(v.Step.Repairs, o.Step.Repairs, sameRepair) &&
		v.Outcome == o.Outcome && v.Result.Equal(o.Result) && v.Answered == o.Answered &&
		v.Outstanding == o.Outstanding && v.Late == o.Late &&
		v.Needed == o.Needed && v.Got == o.Got && v.Total == o.Total
}

// A note is one line of a naive read's log: what passed between the coordinator
// and an owner, as a word.
type note struct {
	owner int
	word  word
	state vclock.State // of toldState
	print uint64       // of toldState and toldDigest
	lost  bool         // told by an owner that was found to be amnesiac
}

type word uint8

const (
	askedState word = iota
	askedDigest
	toldState
	toldDigest
	failed
	repaired // with state
)

// A naiveRead plays the events from the beginning, and decides everything by
// searching its log.
type naiveRead struct {
	p       ReadParams
	log     []note
	outcome Outcome
	result  vclock.State
	step    Step
}

func naiveReadView(p ReadParams, events []readEvent) readView {
	n := &naiveRead{p: p}
	n.goOn()
	for _, e := range events {
		n.step = Step{}
		n.hear(e)
	}
	v := readView{Step: n.step, Outcome: n.outcome, Result: n.result}
	for _, o := range p.Order {
		i := int(o)
		if n.has(i, toldState) || n.has(i, toldDigest) {
			v.Answered = v.Answered.With(i)
		}
		if n.waiting(i) {
			v.Outstanding = v.Outstanding.With(i)
			if n.outcome == Pending {
				v.Late = v.Late.With(i)
			}
		}
	}
	v.Needed, v.Got, v.Total = naiveWorst(p.Owners, p.Level, n.counted())
	return v
}

func (n *naiveRead) hear(e readEvent) {
	switch {
	case e.what == cancels:
		if n.outcome == Pending {
			n.finish(Lost)
		}
		return
	case e.what == hedges:
		n.hedge()
		return
	case !n.waiting(e.replica):
		return
	}
	heard := note{owner: e.replica, word: failed}
	if a := e.answer; e.what == replies {
		heard = note{owner: e.replica, word: toldState, state: a.State, lost: a.Amnesiac}
		if !n.p.ClockOnly {
			heard.print = a.State.Digest()
		}
		if a.IsDigest {
			heard = note{owner: e.replica, word: toldDigest, print: a.Digest, lost: a.Amnesiac}
			if n.last(e.replica) == askedState {
				if n.has(e.replica, toldDigest) {
					return
				}
				heard = note{owner: e.replica, word: failed}
			}
		}
	}
	n.log = append(n.log, heard)
	n.goOn()
}

func (n *naiveRead) has(i int, w word) bool {
	for k := range n.log {
		if x := &n.log[k]; x.owner == i && x.word == w {
			return true
		}
	}
	return false
}

// last is the last word between the coordinator and owner i, repairs aside.
func (n *naiveRead) last(i int) word {
	for k := len(n.log) - 1; k >= 0; k-- {
		if x := &n.log[k]; x.owner == i && x.word != repaired {
			return x.word
		}
	}
	return failed
}

func (n *naiveRead) waiting(i int) bool { return n.last(i) == askedState || n.last(i) == askedDigest }

func (n *naiveRead) amnesiac(i int) bool {
	for k := range n.log {
		if x := &n.log[k]; x.owner == i && x.lost {
			return true
		}
	}
	return n.p.Amnesiac.Has(i)
}

func (n *naiveRead) asked(i int) bool { return n.has(i, askedState) || n.has(i, askedDigest) }

func (n *naiveRead) askable(i int) bool {
	return !n.asked(i) && !n.p.Down.Has(i) && !n.p.Amnesiac.Has(i)
}

// barren owners failed when they were asked for a state.
func (n *naiveRead) barren(i int) bool {
	wanted := word(failed)
	for _, x := range n.log {
		switch {
		case x.owner != i:
		case x.word == failed && wanted == askedState:
			return true
		case x.word == askedState || x.word == askedDigest:
			wanted = x.word
		}
	}
	return false
}

// onlyStates reports whether digests have stopped to count.
func (n *naiveRead) onlyStates() bool {
	var prints []uint64
	lost := n.p.Amnesiac
	for _, x := range n.log {
		if x.lost {
			lost = lost.With(x.owner)
		}
		if (x.word == toldState || x.word == toldDigest) && !lost.Has(x.owner) {
			prints = append(prints, x.print)
		}
	}
	slices.Sort(prints)
	return n.p.NoDigests || n.p.ClockOnly || len(slices.Compact(prints)) > 1
}
