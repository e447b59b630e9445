package quorum

import "github.com/devrev/pairdb/vclock"

func (n naiveWrite) roundAt(k int) int {
	if n.switchAt <= k {
		return 2
	}
	return 1
}

func (n naiveWrite) stateOf(round int) vclock.State {
	s := vclock.State{Siblings: []vclock.Sibling{n.p.Sibling}}
	if n.p.Policy == vclock.Causal {
		s.Clock = n.p.Context.With(n.p.Sibling.Dot)
		if round == 2 {
			s.Clock = n.grownAt(n.switchAt)
		}
	}
	return s
}

// decision is when the outcome was decided, and what it is.
func (n naiveWrite) decision() (int, Outcome) {
	if !n.startable() {
		return 0, Lost
	}
	round, from := 1, 0
	if at := n.switchAt; at != never {
		round, from = 2, at+1
	}
	met := n.first(from, func(k int) bool { return n.metAt(k, round) })
	lost := n.first(from, func(k int) bool { return n.hopelessAt(k, round) || n.cancelled(k) })
	if met < lost {
		return met, Won
	}
	return lost, Lost
}

func (n naiveWrite) stored(k int) Set { return n.settled(k, n.roundAt(k), true) }
func (n naiveWrite) acked(k int) Set  { return n.stored(k) &^ n.amnesiacs(k) }

func (n naiveWrite) outstanding(k int) Set {
	if !n.startable() {
		return 0
	}
	out := n.reachable() &^ n.settled(k, 1, false)
	if n.switchAt <= k {
		out |= n.reachable() &^ n.settled(k, 2, false)
	}
	return out
}

// timely reports whether event k acknowledges the round that was current then.
func (n naiveWrite) timely(k int) bool {
	e := n.events[k]
	return !e.cancel && e.acked && n.valid(k) && e.round == n.roundAt(k)
}

func (n naiveWrite) successor(k int) vclock.State {
	var joined vclock.State
	for j, e := range n.events[:k] {
		if n.timely(j) && n.p.Policy == vclock.Causal && !e.ack.Live && !e.ack.ValuesMissing {
			joined = vclock.Join(n.p.Policy, e.ack.State, joined)
		}
	}
	return joined
}

// holders are the owners whose last timely acknowledgement by time k showed the
// written dot.
func (n naiveWrite) holders(k int) Set {
	var s Set
	for j, e := range n.events[:k] {
		if n.timely(j) {
			s = s.Without(e.replica)
			if e.ack.Live {
				s = s.With(e.replica)
			}
		}
	}
	return s
}

// repairedAt are the owners that are given the successor at time k.
func (n naiveWrite) repairedAt(k int) Set {
	decided, _ := n.decision()
	if n.p.Policy != vclock.Causal || n.successor(k).IsZero() || !n.repairsAt(k, decided) {
		return 0
	}
	to := n.holders(k)
	for j := decided; j < k; j++ {
		if n.repairsAt(j, decided) && n.successor(j).Equal(n.successor(k)) {
			to &^= n.holders(j)
		}
	}
	return to
}

// repairsAt reports whether time k is one of the two at which repairs go out:
// the decision, and the settling of the last attempt after it.
func (n naiveWrite) repairsAt(k, decided int) bool {
	if k == decided {
		return true
	}
	return k > decided && n.outstanding(k) == 0 && n.valid(k-1) && !n.events[k-1].cancel
}
