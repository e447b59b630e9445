package quorum

import "github.com/devrev/pairdb/vclock"

// take notes what owner i answered.
func (r *Read) take(i int, a Answer) {
	print := a.Digest
	if a.IsDigest {
		r.digested = r.digested.With(i)
	} else {
		print = r.digest(a.State)
		r.whole, r.digested = r.whole.With(i), r.digested.Without(i)
		r.join(a.State)
	}
	r.prints[i] = print
	if a.Amnesiac {
		r.amnesiac = r.amnesiac.With(i)
	}
	if r.counting(SetOf(i)) == 0 {
		return
	}
	if r.compare && print != r.first && !r.without.has(countAnyDigest) {
		r.fullOnly = true
	}
	r.first, r.compare = print, true
}

func (r *Read) join(s vclock.State) {
	known := r.joined
	r.joined = vclock.Join(r.policy, known, s)
	if !r.joined.Equal(known) {
		r.repaired = 0
	}
}

func (r *Read) digest(s vclock.State) uint64 {
	if r.clockOnly {
		return 0
	}
	if r.without.has(digestWithoutClock) {
		s.Clock = nil
	}
	return s.Digest()
}

// advance decides what can be decided, else asks whom it takes.
func (r *Read) advance() Step {
	var s Step
	if r.outcome == Pending {
		counted := r.counted()
		switch {
		case r.quota.met(counted) && r.counting(r.whole) != 0:
			r.outcome, s.Done = Won, true
			r.result = r.joined
		case !r.quota.met(counted | r.counting(r.out|r.unasked|r.digested&^r.barren)):
			r.outcome, s.Done = Lost, true
		default:
			r.askOn(&s)
			if r.out == 0 {
				r.outcome, s = Lost, Step{Done: true}
			}
		}
	}
	r.repair(&s)
	return s
}

// askOn asks as many owners as the level still lacks, and sees to it that
// somebody is asked for a state.
func (r *Read) askOn(s *Step) {
	if r.fullOnly {
		for again := range r.counting(r.digested &^ r.barren &^ r.out).All {
			r.ask(s, again, true)
		}
	}
	for {
		expected := r.counted() | r.counting(r.out)
		i, ok := r.best(r.unasked & r.quota.wanting(expected))
		if !ok {
			break
		}
		r.ask(s, i, r.fullOnly || r.stateless())
	}
	if r.stateless() && !r.askDigested(s) && r.out == 0 {
		if i, ok := r.best(r.unasked); ok {
			r.ask(s, i, true)
		}
	}
}

// stateless reports whether no state has come, and none is on its way.
func (r *Read) stateless() bool { return r.counting(r.whole|r.outWhole) == 0 }

// askDigested asks the best of the owners that answered with a digest for its
// state.
func (r *Read) askDigested(s *Step) bool {
	i, ok := r.best(r.counting(r.digested &^ r.barren &^ r.out))
	if ok {
		r.ask(s, i, true)
	}
	return ok
}

func (r *Read) ask(s *Step, i int, whole bool) {
	r.unasked, r.out = r.unasked.Without(i), r.out.With(i)
	if !whole {
		s.Digest = s.Digest.With(i)
		return
	}
	r.outWhole = r.outWhole.With(i)
	if r.clockOnly {
		s.Clock = s.Clock.With(i)
	} else {
		s.State = s.State.With(i)
	}
}

// best returns the first of s in order.
func (r *Read) best(s Set) (int, bool) {
	if s == 0 {
		return 0, false
	}
	for _, i := range r.order[:r.owners] {
		if s.Has(int(i)) {
			return int(i), true
		}
	}
	return 0, false
}

// counted returns the owners whose answer counts toward the level (invariants 3
// and 7).
func (r *Read) counted() Set {
	if r.fullOnly {
		return r.counting(r.whole)
	}
	return r.counting(r.whole | r.digested)
}

// counting leaves out of s the owners that count for no quorum.
func (r *Read) counting(s Set) Set {
	if r.without.has(countAmnesiacs) {
		return s
	}
	return s &^ r.amnesiac
}

// repair gives the joined state to every owner that answered with something
// else, each once for as long as the joined state does not grow.
func (r *Read) repair(s *Step) {
	if r.outcome != Won || r.clockOnly || r.joined.IsZero() {
		return
	}
	print := r.digest(r.joined)
	var to Set
	for i := range (r.Answered() &^ r.repaired).All {
		if r.prints[i] != print {
			to = to.With(i)
		}
	}
	if to != 0 {
		r.repaired |= to
		s.Repairs = []Repair{{To: to, State: r.joined}}
	}
}

// Outcome returns whether the read is decided.
func (r *Read) Outcome() Outcome { return r.outcome }

// Result returns the join of the states that had come when the read was won;
// the zero State if the key is absent, or the read is not Won. Late answers do not
// change it.
func (r *Read) Result() vclock.State { return r.result }

// Answered returns the owners that have answered, those that count for nothing
// and those that answered late included.
func (r *Read) Answered() Set { return r.whole | r.digested }

// Outstanding returns the owners that were asked and have not answered.
func (r *Read) Outstanding() Set { return r.out }

// Late returns whom a hedge would stand in for: the outstanding owners, while
// the read is Pending.
func (r *Read) Late() Set {
	if r.outcome != Pending {
		return 0
	}
	return r.out
}

// Needed describes the owner set that lacks most: how many answers it needs,
// how many count, and how many owners it has.
func (r *Read) Needed() (needed, got, total int) { return r.quota.furthest(r.counted()) }
