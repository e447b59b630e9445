package quorum

import "github.com/devrev/pairdb/vclock"

// A settleEvent is one call on a Settle, after Start.
type settleEvent struct {
	cancel   bool
	replica  int
	answered bool
	answer   SettleAnswer
	failure  Failure
}

// settleView is everything that a driver can see of a Settle after an event.
type settleView struct {
	Step                       Step
	State                      vclock.State
	Outcome                    Outcome
	Superseded                 bool
	Later                      vclock.Stamp
	Acked, Outstanding, Missed Set
	Needed, Got, Total         int
}

func viewSettle(s *Settle, step Step) settleView {
	v := settleView{
		Step: step, State: s.State(), Outcome: s.Outcome(), Superseded: s.Superseded(), Later: s.Later(),
		Acked: s.Acked(), Outstanding: s.Outstanding(), Missed: s.Missed(),
	}
	v.Needed, v.Got, v.Total = s.Needed()
	return v
}

func (v settleView) equal(o settleView) bool {
	return v.Step.State == o.Step.State && v.Step.Merge == o.Step.Merge && v.Step.Done == o.Step.Done &&
		v.Step.Digest|v.Step.Clock == 0 && len(v.Step.Repairs) == 0 &&
		v.State.Equal(o.State) && v.Outcome == o.Outcome && v.Superseded == o.Superseded && v.Later == o.Later &&
		v.Acked == o.Acked && v.Outstanding == o.Outstanding && v.Missed == o.Missed &&
		v.Needed == o.Needed && v.Got == o.Got && v.Total == o.Total
}

// A naiveSettle answers every question by going through the whole list of
// events, in two chapters: what was read before the merge began, and what came of the
// merge after it. Times are lengths of prefixes of the list.
type naiveSettle struct {
	p      SettleParams
	events []settleEvent
	begun  int // when the merge began; looked up once, for it is asked for often
}

func naiveSettleView(p SettleParams, events []settleEvent) settleView {
	n := naiveSettle{p: p, events: events, begun: never}
	if k, merged := n.readings(); merged {
		n.begun = k
	}
	return n.view()
}

func (n naiveSettle) view() settleView {
	now := len(n.events)
	decided, outcome := n.decision()
	v := settleView{Outcome: outcome, Acked: n.acked(now)}
	v.Outstanding = n.outstanding(now)
	v.Missed = n.p.Owners.Union() &^ n.merged(now, true)
	v.Needed, v.Got, v.Total = naiveWorst(n.p.Owners, n.p.Level, v.Acked)
	v.Step.Done = decided == now
	if now == 0 && decided != 0 {
		v.Step.State = n.asked()
	}
	if n.begun == now {
		v.Step.Merge = n.reachable()
	}
	if n.begun <= now {
		v.State = n.joined(n.begun)
		v.Superseded = n.p.Policy == vclock.LastWriteWins && !v.State.Has(n.p.Dot)
	}
	for k, e := range n.events {
		if !e.answered || !n.reads(k) && !n.merges(k) {
			continue
		}
		v.Later = max(v.Later, e.answer.State.Clock.Newest())
		for _, s := range e.answer.State.Siblings {
			v.Later = max(v.Later, s.Dot.Stamp)
			if n.merges(k) && n.acked(now).Has(e.replica) && s.Dot.Stamp > n.p.Dot.Stamp {
				v.Superseded = v.Superseded || n.p.Policy == vclock.LastWriteWins
			}
		}
	}
	return v
}

func (n naiveSettle) reachable() Set { return n.p.Owners.Union() &^ n.p.Down }
func (n naiveSettle) asked() Set     { return n.p.Holders & n.reachable() }

func (n naiveSettle) enough(s Set) bool {
	return naiveWrite{p: WriteParams{Owners: n.p.Owners, Level: n.p.Level}}.enough(s)
}

func (n naiveSettle) startable() bool {
	return n.asked() != 0 && n.enough(n.reachable()&^n.p.Amnesiac)
}

// reads reports whether event k is the first about an owner that was asked.
func (n naiveSettle) reads(k int) bool {
	e := n.events[k]
	if e.cancel || e.replica < 0 || !n.startable() || !n.asked().Has(e.replica) {
		return false
	}
	for _, earlier := range n.events[:k] {
		if !earlier.cancel && earlier.replica == e.replica {
			return false
		}
	}
	return true
}

// read are the owners that had been heard by time k about what they hold.
func (n naiveSettle) read(k int) Set {
	var s Set
	for j, e := range n.events[:k] {
		if n.reads(j) {
			s = s.With(e.replica)
		}
	}
	return s
}

// joined is what the owners that hold the dot had shown by time k.
func (n naiveSettle) joined(k int) vclock.State {
	var all vclock.State
	for j, e := range n.events[:k] {
		s := e.answer.State
		if !n.reads(j) || !e.answered || len(s.Siblings) == 0 {
			continue
		}
		covers := s.Clock.Covers(n.p.Dot)
		if n.p.Policy == vclock.LastWriteWins {
			covers = s.Siblings[0].Dot.Stamp >= n.p.Dot.Stamp // no two of the tests' dots share a stamp
		}
		if covers {
			all = vclock.Join(n.p.Policy, s, all)
		}
	}
	return all
}

// forgotten are the amnesiacs that the reads had shown by time k.
func (n naiveSettle) forgotten(k int) Set {
	s := n.p.Amnesiac
	for j, e := range n.events[:k] {
		if n.reads(j) && e.answered && e.answer.Amnesiac {
			s = s.With(e.replica)
		}
	}
	return s
}

// readings is when the reads ended, and whether a merge began then.
func (n naiveSettle) readings() (int, bool) {
	if !n.startable() {
		return 0, false
	}
	for k := range len(n.events) + 1 {
		switch {
		case k > 0 && n.events[k-1].cancel, !n.enough(n.reachable() &^ n.forgotten(k)):
			return k, false
		case n.read(k) == n.asked():
			return k, len(n.joined(k).Siblings) > 0
		}
	}
	return never, false
}

// merges reports whether event k is the first about an owner after the merge was
// sent to it.
func (n naiveSettle) merges(k int) bool {
	e := n.events[k]
	if k < n.begun || e.cancel || e.replica < 0 || !n.reachable().Has(e.replica) {
		return false
	}
	for _, earlier := range n.events[n.begun:k] {
		if !earlier.cancel && earlier.replica == e.replica {
			return false
		}
	}
	return true
}

// merged are the owners heard about the merge by time k, or those of them that
// acknowledged it.
func (n naiveSettle) merged(k int, acked bool) Set {
	var s Set
	for j, e := range n.events[:k] {
		if n.merges(j) && (e.answered || !acked) {
			s = s.With(e.replica)
		}
	}
	return s
}

// acked leaves out those that were known for amnesiacs, or said so.
func (n naiveSettle) acked(k int) Set {
	var s Set
	for j, e := range n.events[:k] {
		if n.merges(j) && e.answered && !e.answer.Amnesiac {
			s = s.With(e.replica)
		}
	}
	return s &^ n.forgotten(k)
}

func (n naiveSettle) outstanding(k int) Set {
	switch {
	case !n.startable():
		return 0
	case k >= n.begun:
		return n.reachable() &^ n.merged(k, false)
	default:
		return n.asked() &^ n.read(k)
	}
}

// decision is when the outcome was decided, and what it is.
func (n naiveSettle) decision() (int, Outcome) {
	read, merged := n.readings()
	if !merged {
		if read <= len(n.events) {
			return read, Lost
		}
		return never, Pending
	}
	for k := read; k <= len(n.events); k++ {
		switch {
		case n.enough(n.acked(k)):
			return k, Won
		case k > read && n.events[k-1].cancel, !n.enough(n.acked(k) | n.outstanding(k)&^n.forgotten(k)):
			return k, Lost
		}
	}
	return never, Pending
}
