package quorum

import (
	"slices"

	"github.com/devrev/pairdb/vclock"
)

// A writeEvent is one call on a Write, after Start.
type writeEvent struct {
	cancel  bool
	replica int
	acked   bool
	ack     Ack
	failure Failure
	lost    bool // with a failure: the owner was found to be amnesiac
}

// writeView is everything that a driver can see of a Write after an event.
type writeView struct {
	Step                Step
	State               vclock.State
	Context             vclock.Clock
	Outcome             Outcome
	NotApplied          bool
	Superseded          bool
	Later               vclock.Stamp
	Acked               Set
	Needed, Got, Total  int
	Outstanding, Missed Set
	Fate                naiveFate
}

func viewWrite(w *Write, s Step) writeView {
	v := writeView{
		Step: s, State: w.State(), Context: w.Context(), Outcome: w.Outcome(), NotApplied: w.NotApplied(),
		Superseded: w.Superseded(), Later: w.Later(), Acked: w.Acked(),
		Outstanding: w.Outstanding(), Missed: w.Missed(),
	}
	v.Needed, v.Got, v.Total = w.Needed()
	v.Fate.Fate, v.Fate.Holders = w.Fate()
	v.Fate.Doubtful, v.Fate.Aged = w.Doubtful(), w.Aged()
	return v
}

func (v writeView) equal(o writeView) bool {
	return v.Step.Merge == o.Step.Merge && v.Step.State|v.Step.Digest|v.Step.Clock == 0 &&
		v.Step.Done == o.Step.Done && slices.EqualFunc(v.Step.Repairs, o.Step.Repairs, sameRepair) &&
		v.State.Equal(o.State) && slices.Equal(v.Context, o.Context) && v.Outcome == o.Outcome &&
		v.NotApplied == o.NotApplied && v.Superseded == o.Superseded && v.Later == o.Later &&
		v.Acked == o.Acked && v.Needed == o.Needed && v.Got == o.Got && v.Total == o.Total &&
		v.Outstanding == o.Outstanding && v.Missed == o.Missed && v.Fate == o.Fate
}

func sameRepair(a, b Repair) bool { return a.To == b.To && a.State.Equal(b.State) }

// A naiveWrite answers every question by going through the whole list of
// events, from the rules as the package's invariants word them. It remembers nothing.
// Times are lengths of prefixes of the list; never is after all of them.
type naiveWrite struct {
	p      WriteParams
	events []writeEvent
}

const never = 1 << 30

func (n naiveWrite) view() writeView {
	now := len(n.events)
	decided, outcome := n.decision()
	if decided > now {
		outcome = Pending
	}
	v := writeView{
		State: n.sent(), Context: n.sent().Clock, Outcome: outcome,
		Acked: n.acked(now), Outstanding: n.outstanding(now), Missed: n.p.Owners.Union() &^ n.settled(now, true),
		Fate: n.fate(),
	}
	v.Needed, v.Got, v.Total = naiveWorst(n.p.Owners, n.p.Level, v.Acked)
	v.Step.Done = decided == now
	if now == 0 && n.startable() {
		v.Step.Merge = n.reachable()
	}
	if to := n.repairedAt(now); to != 0 {
		v.Step.Repairs = []Repair{{To: to, State: n.successor(now)}}
	}
	harmless := true
	for k, e := range n.events {
		if !n.settles(k) {
			continue
		}
		harmless = harmless && !e.acked && (e.failure == NotSent || e.failure == Refused || e.failure == TooOld)
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

func (n naiveWrite) sent() vclock.State {
	s := vclock.State{Siblings: []vclock.Sibling{n.p.Sibling}}
	if n.p.Policy == vclock.Causal {
		s.Clock = n.p.Context.With(n.p.Sibling.Dot)
	}
	return s
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

// settles reports whether event k is the first about an attempt that was made.
func (n naiveWrite) settles(k int) bool {
	e := n.events[k]
	return !e.cancel && n.startable() && e.replica >= 0 && n.reachable().Has(e.replica) &&
		!slices.ContainsFunc(n.events[:k], func(earlier writeEvent) bool {
			return !earlier.cancel && earlier.replica == e.replica
		})
}

// amnesiacs are those that are known at time k.
func (n naiveWrite) amnesiacs(k int) Set {
	s := n.p.Amnesiac
	for j, e := range n.events[:k] {
		if (e.acked && e.ack.Amnesiac || !e.acked && e.lost) && n.settles(j) {
			s = s.With(e.replica)
		}
	}
	return s
}

// settled are the owners whose attempt was settled by time k, and by an
// acknowledgement if acked.
func (n naiveWrite) settled(k int, acked bool) Set {
	var s Set
	for j, e := range n.events[:k] {
		if n.settles(j) && (e.acked || !acked) {
			s = s.With(e.replica)
		}
	}
	return s
}

func (n naiveWrite) acked(k int) Set { return n.settled(k, true) &^ n.amnesiacs(k) }

func (n naiveWrite) outstanding(k int) Set {
	if !n.startable() {
		return 0
	}
	return n.reachable() &^ n.settled(k, false)
}

// decision is when the outcome was decided, and what it is.
func (n naiveWrite) decision() (int, Outcome) {
	for k := range len(n.events) + 1 {
		switch {
		case n.enough(n.acked(k)):
			return k, Won
		case k > 0 && n.events[k-1].cancel,
			!n.enough(n.acked(k) | n.outstanding(k)&^n.amnesiacs(k)):
			return k, Lost
		}
	}
	return never, Pending
}

// successor joins all that was shown by time k to be on top of the write.
func (n naiveWrite) successor(k int) vclock.State {
	var joined vclock.State
	for j, e := range n.events[:k] {
		if e.acked && !e.ack.Live && !e.ack.ValuesMissing && n.settles(j) {
			joined = vclock.Join(n.p.Policy, e.ack.State, joined)
		}
	}
	return joined
}

// holders are the owners whose acknowledgement by time k showed the written dot.
func (n naiveWrite) holders(k int) Set {
	var s Set
	for j, e := range n.events[:k] {
		if e.acked && e.ack.Live && n.settles(j) {
			s = s.With(e.replica)
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
	return k > decided && n.outstanding(k) == 0 && n.settles(k-1)
}
