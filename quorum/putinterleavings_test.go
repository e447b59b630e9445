package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// Puts that are to overwrite whatever is there, one order of events at a time:
// as the machines are, and by a rule that they do without, which must show the damage.
// Replicas 0, 1 and 2 are n1, n2 and n3.

// put reads clocks at the level, in the order, and starts the write that covers
// what it saw.
func (r replicas) put(t *testing.T, d vclock.Dot, clockRead Level, order ...uint8) *Write {
	clock := reader(t, ReadParams{Owners: three, Level: clockRead, Order: order, ClockOnly: true}, 0)
	r.serve(clock, 0)
	p := writeOf(three, Quorum, vclock.Causal)
	p.Context, p.Sibling = clock.Result().Clock, sibling(d)
	return started(t, p, 0)
}

// A twoRounds is a Put by the rule that Write does without: it is named and
// sent with the context at hand, and once more with a context grown by what its
// acknowledgements showed.
type twoRounds struct {
	r     replicas
	dot   vclock.Dot
	sent  vclock.State
	grown vclock.Clock
	all   bool // grow also by the clocks of states that supersede the write
}

func (r replicas) putInTwoRounds(d vclock.Dot) *twoRounds {
	return &twoRounds{r: r, dot: d, sent: vclock.WriteState(vclock.Causal, nil, sibling(d))}
}

func (p *twoRounds) deliver(replicas ...int) {
	for _, i := range replicas {
		if a := p.r.merge(i, p.sent); a.Live || p.all {
			p.grown = p.grown.Join(a.State.Clock)
		}
	}
}

func (p *twoRounds) again() { p.sent = vclock.WriteState(vclock.Causal, p.grown, sibling(p.dot)) }

// e is acknowledged by n1 and n2. A Put of d without a context reads clocks, n3
// answers first, and d is acknowledged by n3 and n1.
func TestClockReadAtTheLargerLevelSeesWhatTheWriteMustCover(t *testing.T) { // case 3
	play := func(clockRead Level) vclock.State {
		r := make(replicas, 3)
		r.write(nil, stranger, 0, 1)
		w := r.put(t, mine, clockRead, 2, 0, 1)
		r.deliver(w, 2)
		r.deliver(w, 0)
		require.Equal(t, Won, w.Outcome())
		return r.all()
	}
	require.Equal(t, []vclock.Sibling{sibling(mine)}, play(One.Max(Quorum, 3)).Siblings)
	require.True(t, play(One).Has(stranger), "at the lower level, the overwritten value stays")
}

// d reaches n1, another client reads it there, and its z is acknowledged by n2
// and n3. n2 acknowledges d as superseded, showing z.
func TestPutDoesNotDestroyASuccessorThatItMeets(t *testing.T) { // case 4
	r := make(replicas, 3)
	w := r.put(t, mine, Quorum, 0, 1, 2)
	r.deliver(w, 0)
	r.write(r[0].Clock, successor, 1, 2)
	s := r.deliver(w, 1)
	require.True(t, s.Done)
	require.Equal(t, Won, w.Outcome())
	require.Equal(t, []Repair{{To: SetOf(0), State: r[1]}}, s.Repairs)
	r.repair(s)
	require.Empty(t, r.deliver(w, 2).Repairs, "n1 is repaired once")
	for i := range r {
		require.Equal(t, []vclock.Sibling{sibling(successor)}, r[i].Siblings)
	}

	r = make(replicas, 3)
	p := r.putInTwoRounds(mine)
	p.all = true
	p.deliver(0)
	r.write(r[0].Clock, successor, 1, 2)
	p.deliver(1)
	p.again()
	p.deliver(0, 1)
	require.False(t, vclock.Join(vclock.Causal, r[0], r[1]).Has(successor),
		"in two rounds, an acknowledged write is gone from a quorum")
}

// n2 holds e. d reaches n1 and n2; another client reads d at n1 and replaces it
// there and at n3; then the second round goes out as another write.
func TestPutIsOneWrite(t *testing.T) { // case 5
	r := make(replicas, 3)
	r.write(nil, stranger, 1)
	w := r.put(t, mine, Quorum, 0, 1, 2)
	r.deliver(w, 0)
	r.deliver(w, 1)
	require.Equal(t, Won, w.Outcome())
	r.write(r[0].Clock, successor, 0, 2)
	r.repair(r.deliver(w, 2))
	require.Equal(t, []vclock.Sibling{sibling(successor)}, r.all().Siblings)

	r = make(replicas, 3)
	r.write(nil, stranger, 1)
	p := r.putInTwoRounds(mine)
	p.deliver(0, 1)
	r.write(r[0].Clock, successor, 0, 2)
	p.dot.Stamp++
	p.again()
	p.deliver(0, 1)
	require.Len(t, r.all().Siblings, 2, "in two rounds, the replaced value is back under another name")
}

// Two Puts at once: n1 takes d then e, n2 takes e then d, so that each
// coordinator is shown a write that it does not cover.
func TestTwoPutsAtOnceNeverCoverEachOther(t *testing.T) {
	r := make(replicas, 3)
	d, e := r.put(t, mine, Quorum, 0, 1, 2), r.put(t, stranger, Quorum, 0, 1, 2)
	r.deliver(d, 0)
	r.deliver(e, 1)
	r.deliver(e, 0)
	r.deliver(d, 1)
	require.Equal(t, Won, d.Outcome())
	require.Equal(t, Won, e.Outcome())
	require.Equal(t, []vclock.Sibling{sibling(mine), sibling(stranger)}, r.all().Siblings)

	r = make(replicas, 3)
	p, q := r.putInTwoRounds(mine), r.putInTwoRounds(stranger)
	p.deliver(0)
	q.deliver(1, 0)
	p.deliver(1)
	p.again()
	q.again()
	p.deliver(0, 1)
	q.deliver(0, 1)
	require.Empty(t, r.all().Siblings, "in two rounds, two acknowledged writes are gone")
}
