package quorum

import "github.com/devrev/pairdb/vclock"

// ReadParams is what a Read is made of.
type ReadParams struct {
	Owners Owners
	Level  Level
	Policy vclock.Policy

	// Order is a permutation of the owners, best first. It is copied.
	Order []uint8
	// ClockOnly asks every owner for its clock; the result's siblings, if any, carry no
	// values, and nothing is repaired.
	ClockOnly bool
	// NoDigests asks every owner for its whole state.
	NoDigests bool

	// Down are owners that can be sent nothing at the moment. They are not asked.
	Down Set
	// Amnesiac are owners known to have lost their store. They are not asked.
	Amnesiac Set
}

// An Answer is what an owner told of the key.
type Answer struct {
	// State is what the owner holds: whole, or as its clock where that was asked
	// for.
	State vclock.State
	// Digest is the digest of what it holds, if IsDigest.
	Digest   uint64
	IsDigest bool
	// Amnesiac says that the owner was found, with this answer, to have lost its
	// store: what it holds is joined as data, and counts for nothing.
	Amnesiac bool
}

// A Read decides one read. It is one value for a pooled request to embed; it is
// not safe for concurrent use, and must be set up by Init. No step allocates
// unless states differ.
//
// Call Start once, then Reply or Fail once for each owner that a step named, in
// any order, also after the outcome is decided: late answers bring repairs. What
// comes from an owner that has nothing outstanding is ignored. No owner has more than
// one request outstanding.
type Read struct {
	quota     quota
	policy    vclock.Policy
	clockOnly bool
	without   rules

	order    [MaxOwners]uint8
	owners   int
	unasked  Set // owners that may still be asked for the first time
	started  bool
	outcome  Outcome
	fullOnly bool // only whole states count (invariant 7)

	out      Set // asked, not answered
	outWhole Set // those of out that were asked for a state or a clock
	whole    Set // answered with a state
	digested Set // answered with a digest, and with no state
	barren   Set // could not give a state when asked for it
	amnesiac Set

	prints  [MaxOwners]uint64 // the digest of what each owner last answered
	first   uint64            // the first digest that counted
	compare bool              // first is set

	joined   vclock.State // of all states
	result   vclock.State // joined, as it was when the read was won
	repaired Set          // owners to whom joined was given already
}

// Init sets r up for one read, whatever it was used for before. Errors:
// *LevelError (which is ErrLevel) if an owner set is too small for the level,
// ErrOwners.
func (r *Read) Init(p ReadParams) error {
	q, err := newQuota(p.Owners, p.Level)
	if err != nil {
		*r = Read{}
		return err
	}
	*r = Read{
		quota:     q,
		policy:    p.Policy,
		clockOnly: p.ClockOnly,
		owners:    len(p.Order),
		unasked:   p.Owners.Union() &^ p.Down &^ p.Amnesiac,
		fullOnly:  p.ClockOnly || p.NoDigests,
		amnesiac:  p.Amnesiac,
	}
	var seen Set
	for _, i := range p.Order {
		if int(i) < MaxOwners {
			seen = seen.With(int(i))
		}
	}
	if union := p.Owners.Union(); seen != union || len(p.Order) != union.Len() {
		*r = Read{}
		return ErrOwners
	}
	copy(r.order[:], p.Order)
	return nil
}

// Start asks the first owners in order that together meet the level: the best
// of them for its state, the others for a digest. If those that are down or
// amnesiac put the level out of reach already, it asks nobody, and the read is Lost.
func (r *Read) Start() Step {
	if r.started || r.outcome != Pending {
		return Step{}
	}
	r.started = true
	return r.advance()
}

// Reply takes owner i's answer.
func (r *Read) Reply(i int, a Answer) Step {
	if !inRange(i) || !r.out.Has(i) {
		return Step{}
	}
	if a.IsDigest && r.outWhole.Has(i) {
		if r.digested.Has(i) {
			return Step{} // the digest that was answered before, once more
		}
		return r.Fail(i) // no answer to what was asked
	}
	r.out, r.outWhole = r.out.Without(i), r.outWhole.Without(i)
	r.take(i, a)
	return r.advance()
}

// Fail takes the news that owner i will not answer, for whatever reason. The
// next owner in order takes its place, if there is one.
func (r *Read) Fail(i int) Step {
	if !inRange(i) || !r.out.Has(i) {
		return Step{}
	}
	if r.outWhole.Has(i) {
		r.barren = r.barren.With(i)
	}
	r.out, r.outWhole = r.out.Without(i), r.outWhole.Without(i)
	return r.advance()
}

// Hedge asks one owner more, since an answer is late: the next in order that has
// not been asked, for its whole state if none has come, else for a digest. When all
// have been asked and no state has come, one that answered with a digest is asked
// for its state. The zero Step says that there is nobody left to ask.
func (r *Read) Hedge() Step {
	var s Step
	if r.outcome != Pending || r.out == 0 {
		return s
	}
	useful := r.quota.wanting(r.counted())
	if useful == 0 {
		useful = r.unasked // only a state is missing
	}
	if i, ok := r.best(r.unasked & useful); ok {
		r.ask(&s, i, r.fullOnly || r.counting(r.whole) == 0)
	} else if r.counting(r.whole) == 0 {
		r.askDigested(&s)
	}
	return s
}

// Cancel says that the caller no longer waits: a read that is Pending is Lost.
// A read that is Lost repairs nothing.
func (r *Read) Cancel() Step {
	if r.outcome != Pending {
		return Step{}
	}
	r.outcome = Lost
	return Step{Done: true}
}
