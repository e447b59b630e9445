package quorum

import (
	"slices"

	"github.com/devrev/pairdb/vclock"
)

// A writeEvent is one call on a Write, after Start.
type writeEvent struct {
	cancel  bool
	replica int
	round   int
	acked   bool
	ack     Ack
	failure Failure
}

// writeView is everything that a driver can see of a Write after an event.
type writeView struct {
	Step                Step
	Round               int
	State               vclock.State
	Outcome             Outcome
	NotApplied          bool
	Superseded          bool
	Later               vclock.Stamp
	Acked               Set
	Needed, Got, Total  int
	Outstanding, Missed Set
}

func viewWrite(w *Write, s Step) writeView {
	v := writeView{
		Step: s, Round: w.Round(), State: w.State(), Outcome: w.Outcome(), NotApplied: w.NotApplied(),
		Superseded: w.Superseded(), Later: w.Later(), Acked: w.Acked(),
		Outstanding: w.Outstanding(), Missed: w.Missed(),
	}
	v.Needed, v.Got, v.Total = w.Needed()
	return v
}

func (v writeView) equal(o writeView) bool {
	return v.Step.Merge == o.Step.Merge && v.Step.Done == o.Step.Done &&
		slices.EqualFunc(v.Step.Repairs, o.Step.Repairs, sameRepair) &&
		v.Round == o.Round && v.State.Equal(o.State) && v.Outcome == o.Outcome &&
		v.NotApplied == o.NotApplied && v.Superseded == o.Superseded && v.Later == o.Later &&
		v.Acked == o.Acked && v.Needed == o.Needed && v.Got == o.Got && v.Total == o.Total &&
		v.Outstanding == o.Outstanding && v.Missed == o.Missed
}

func sameRepair(a, b Repair) bool { return a.To == b.To && a.State.Equal(b.State) }

// A naiveWrite answers every question by going through the whole list of
// events, from the rules as the design page words them. It remembers nothing.
// Times are lengths of prefixes of the list; never is after all of them.
type naiveWrite struct {
	p        WriteParams
	events   []writeEvent
	switchAt int    // when the second round began
	settling []bool // by event: whether it settled an attempt, or is a cancel
}

func newNaiveWrite(p WriteParams, events []writeEvent) naiveWrite {
	n := naiveWrite{p: p, events: events}
	n.switchAt = n.switched()
	for k := range events {
		n.settling = append(n.settling, n.settles(k))
	}
	return n
}

const never = 1 << 30

func (n naiveWrite) view() writeView {
	now := len(n.events)
	decided, outcome := n.decision()
	if decided > now {
		outcome = Pending
	}
	v := writeView{
		Round: n.roundAt(now), State: n.stateOf(n.roundAt(now)), Outcome: outcome,
		Acked: n.acked(now), Outstanding: n.outstanding(now), Missed: n.p.Owners.Union() &^ n.stored(now),
	}
	v.Needed, v.Got, v.Total = n.worst(v.Acked)
	v.Step.Done = decided == now
	switch {
	case now == 0 && n.startable():
		v.Step.Merge = n.reachable()
	case now > 0 && n.switchAt == now:
		v.Step.Merge = n.reachable()
	}
	if to := n.repairedAt(now); to != 0 {
		v.Step.Repairs = []Repair{{To: to, State: n.successor(now)}}
	}
	harmless := true
	for k, e := range n.events {
		if !n.valid(k) || e.cancel {
			continue
		}
		harmless = harmless && !e.acked && e.failure != Unanswered
		if e.acked {
			v.Later = max(v.Later, e.ack.State.Clock.Newest())
			for _, s := range e.ack.State.Siblings {
				v.Later = max(v.Later, s.Dot.Stamp)
			}
			counts := !n.amnesiacs(k + 1).Has(e.replica)
			v.Superseded = v.Superseded || n.p.Policy == vclock.LastWriteWins && counts && !e.ack.Live
		}
	}
	v.NotApplied = outcome == Lost && harmless && v.Outstanding == 0
	return v
}

func (n naiveWrite) reachable() Set  { return n.p.Owners.Union() &^ n.p.Down }
func (n naiveWrite) startable() bool { return n.enough(n.reachable() &^ n.p.Amnesiac) }

// enough counts heads, set by set.
func (n naiveWrite) enough(s Set) bool {
	for _, owners := range [...]Set{n.p.Owners.Old, n.p.Owners.New} {
		got, size := 0, 0
		for i := range MaxOwners {
			if owners.Has(i) {
				size++
				if s.Has(i) {
					got++
				}
			}
		}
		if size > 0 && got < naiveNeed(n.p.Level, size) {
			return false
		}
	}
	return true
}

func naiveNeed(l Level, size int) int {
	return [...]int{One: 1, Two: 2, Three: 3, Quorum: (size + 2) / 2, All: size}[l]
}

func (n naiveWrite) worst(s Set) (needed, got, total int) {
	return naiveWorst(n.p.Owners, n.p.Level, s)
}

func naiveWorst(o Owners, l Level, s Set) (needed, got, total int) {
	lacking := -never
	for _, owners := range []Set{o.Old, o.New} {
		if owners == 0 {
			continue
		}
		need, have := naiveNeed(l, owners.Len()), (owners & s).Len()
		if need-have > lacking {
			lacking, needed, got, total = need-have, need, have, owners.Len()
		}
	}
	return needed, got, total
}

func (n naiveWrite) valid(k int) bool { return n.settling[k] }

// settles reports whether event k is the first about an attempt that was made.
func (n naiveWrite) settles(k int) bool {
	e := n.events[k]
	if e.cancel {
		return true
	}
	if !n.startable() || e.replica < 0 || !n.reachable().Has(e.replica) || e.round != 1 && e.round != 2 {
		return false
	}
	if e.round == 2 && n.switchAt > k {
		return false
	}
	for j, earlier := range n.events[:k] {
		if n.valid(j) && !earlier.cancel && earlier.replica == e.replica && earlier.round == e.round {
			return false
		}
	}
	return true
}

// amnesiacs are those that are known at time k.
func (n naiveWrite) amnesiacs(k int) Set {
	s := n.p.Amnesiac
	for j, e := range n.events[:k] {
		if !e.cancel && e.acked && e.ack.Amnesiac && n.valid(j) {
			s = s.With(e.replica)
		}
	}
	return s
}

// settled are the owners whose attempt of a round was settled by time k, and
// by an acknowledgement if acked.
func (n naiveWrite) settled(k, round int, acked bool) Set {
	var s Set
	for j, e := range n.events[:k] {
		if !e.cancel && e.round == round && (e.acked || !acked) && n.valid(j) {
			s = s.With(e.replica)
		}
	}
	return s
}

func (n naiveWrite) metAt(k, round int) bool {
	return n.enough(n.settled(k, round, true) &^ n.amnesiacs(k))
}

func (n naiveWrite) hopelessAt(k, round int) bool {
	failed := n.settled(k, round, false) &^ n.settled(k, round, true)
	return !n.enough(n.reachable() &^ failed &^ n.amnesiacs(k))
}

func (n naiveWrite) first(from int, holds func(k int) bool) int {
	for k := from; k <= len(n.events); k++ {
		if holds(k) {
			return k
		}
	}
	return never
}

func (n naiveWrite) cancelled(k int) bool { return k > 0 && n.events[k-1].cancel }

func (n naiveWrite) switched() int {
	if !n.p.Overwrite || n.p.Policy != vclock.Causal || !n.startable() {
		return never
	}
	for k := range len(n.events) + 1 {
		if n.cancelled(k) || n.round1HopelessAt(k) {
			return never
		}
		if n.round1MetAt(k) {
			sent := n.stateOf(1).Clock
			if sent.CoversAll(n.grownAt(k)) {
				return never
			}
			return k
		}
	}
	return never
}

// In round 1 an attempt is settled by the first event about it, so that these
// need not ask when the second round began.
func (n naiveWrite) round1(k int) (acked, failed, amnesiac Set) {
	var seen Set
	amnesiac = n.p.Amnesiac
	for _, e := range n.events[:k] {
		if e.cancel || e.round != 1 || e.replica < 0 || seen.Has(e.replica) || !n.reachable().Has(e.replica) {
			continue
		}
		seen = seen.With(e.replica)
		if !e.acked {
			failed = failed.With(e.replica)
			continue
		}
		acked = acked.With(e.replica)
		if e.ack.Amnesiac {
			amnesiac = amnesiac.With(e.replica)
		}
	}
	return acked, failed, amnesiac
}

func (n naiveWrite) round1MetAt(k int) bool {
	acked, _, amnesiac := n.round1(k)
	return n.enough(acked &^ amnesiac)
}

func (n naiveWrite) round1HopelessAt(k int) bool {
	_, failed, amnesiac := n.round1(k)
	return !n.enough(n.reachable() &^ failed &^ amnesiac)
}

func (n naiveWrite) grownAt(k int) vclock.Clock {
	clock := n.p.Context.With(n.p.Sibling.Dot)
	_, _, amnesiac := n.round1(k)
	var seen Set
	for _, e := range n.events[:k] {
		if e.cancel || e.round != 1 || e.replica < 0 || seen.Has(e.replica) || !n.reachable().Has(e.replica) {
			continue
		}
		seen = seen.With(e.replica)
		if e.acked && e.ack.Live && !amnesiac.Has(e.replica) {
			clock = clock.Join(e.ack.State.Clock)
		}
	}
	return clock
}
