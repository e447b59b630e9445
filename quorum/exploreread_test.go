package quorum

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// readStates are what owners may hold: nothing, one write, that write and
// another, and a third that replaced the first.
var readStates = []vclock.State{
	{},
	stateOf(nil, mine),
	stateOf(vclock.Clock{mine}, successor),
	stateOf(nil, stranger),
}

// A readExplorer runs a Read through every order of every event, and compares
// it after each with the naive one.
type readExplorer struct {
	t         *testing.T
	p         ReadParams
	held      []vclock.State
	hedges    bool
	amnesia   bool
	sequences map[readKey]uint64
	compared  int
}

// A readKey is all that a machine's further course depends on.
type readKey struct {
	unasked, out, outWhole, whole, digested, barren, amnesiac, repaired Set
	outcome                                                             Outcome
	fullOnly, compare                                                   bool
	first, joined, result                                               uint64
	prints                                                              [5]uint64
}

func keyOfRead(r *Read) readKey {
	k := readKey{
		unasked: r.unasked, out: r.out, outWhole: r.outWhole, whole: r.whole, digested: r.digested,
		barren: r.barren, amnesiac: r.amnesiac, repaired: r.repaired,
		outcome: r.outcome, fullOnly: r.fullOnly, compare: r.compare, first: r.first,
		joined: r.joined.Digest(), result: r.result.Digest(),
	}
	copy(k.prints[:], r.prints[:])
	return k
}

func (x *readExplorer) compare(r *Read, step Step, events []readEvent) {
	x.compared++
	want, got := naiveReadView(x.p, events), viewRead(r, step)
	if !want.equal(got) {
		x.t.Fatalf("params %+v\nevents %+v\nnaive   %+v\nmachine %+v", x.p, events, want, got)
	}
}

func (x *readExplorer) from(r *Read, events []readEvent) uint64 {
	key := keyOfRead(r)
	if n, known := x.sequences[key]; known {
		return n
	}
	var total uint64
	for i := range r.out.All {
		for _, held := range x.held {
			a := Answer{State: held}
			if !r.outWhole.Has(i) {
				a = Answer{Digest: held.Digest(), IsDigest: true}
			}
			total += x.after(*r, append(events, readEvent{replica: i, answer: a}))
		}
		if x.amnesia {
			lost := Answer{Amnesiac: true, IsDigest: !r.outWhole.Has(i)}
			total += x.after(*r, append(events, readEvent{replica: i, answer: lost}))
		}
		total += x.after(*r, append(events, readEvent{what: fails, replica: i}))
	}
	if r.outcome == Pending {
		if before := *r; x.hedges && !zeroStep(before.Hedge()) {
			total += x.after(*r, append(events, readEvent{what: hedges}))
		}
		total += x.after(*r, append(events, readEvent{what: cancels}))
	}
	x.sequences[key] = max(total, 1)
	return x.sequences[key]
}

func zeroStep(s Step) bool {
	return s.Merge|s.State|s.Digest|s.Clock == 0 && !s.Done && len(s.Repairs) == 0
}

func (x *readExplorer) after(r Read, events []readEvent) uint64 {
	step := applyRead(&r, events[len(events)-1])
	x.compare(&r, step, events)
	return x.from(&r, events)
}

func applyRead(r *Read, e readEvent) Step {
	switch e.what {
	case cancels:
		return r.Cancel()
	case hedges:
		return r.Hedge()
	case fails:
		return r.Fail(e.replica)
	default:
		return r.Reply(e.replica, e.answer)
	}
}

// readTotals sums up explorations, for the log.
type readTotals struct {
	runs, machines, compared int
	sequences                uint64
}

func (n *readTotals) explore(t *testing.T, x readExplorer) {
	x.t, x.sequences = t, map[readKey]uint64{}
	var r Read
	require.NoError(t, r.Init(x.p))
	x.compare(&r, r.Start(), nil)
	n.sequences += x.from(&r, nil)
	n.runs++
	n.machines += len(x.sequences)
	n.compared += x.compared
}

func (n *readTotals) log(t *testing.T, what string) {
	t.Logf("quorum: read machine, %s: %d requests, %d states, %d steps compared, %d event sequences",
		what, n.runs, n.machines, n.compared, n.sequences)
}

func orderOf(s Set) []uint8 {
	var order []uint8
	for i := range s.All {
		order = append(order, uint8(i))
	}
	return order
}

func readOf(o Owners, l Level) ReadParams {
	return ReadParams{Owners: o, Level: l, Order: orderOf(o.Union())}
}

// readLevels are the levels that n owners can give, each need once.
func readLevels(n int) []Level {
	var levels []Level
	needs := map[int]bool{}
	for l := One; l <= All; l++ {
		if need, ok := l.Need(n); ok && !needs[need] {
			needs[need] = true
			levels = append(levels, l)
		}
	}
	return levels
}

func TestReadAgreesWithTheNaiveOneInEveryOrderOfEveryEvent(t *testing.T) {
	t.Parallel()
	for n := 1; n <= exploredOwners; n++ {
		var sum readTotals
		for _, l := range readLevels(n) {
			x := readExplorer{p: readOf(Owners{Old: FirstN(n)}, l), held: readStates, hedges: true, amnesia: true}
			if n > 3 {
				x.held = readStates[:2]
				x.amnesia = n == 4
				x.hedges = n == 4 || l == Quorum
			}
			sum.explore(t, x)
		}
		sum.log(t, fmt.Sprintf("N = %d", n))
	}
}

func TestReadOfEveryKindAgreesWithTheNaiveOneInEveryOrderOfEveryEvent(t *testing.T) {
	t.Parallel()
	kinds := map[string]func(x *readExplorer){
		"whole states":       func(x *readExplorer) { x.p.NoDigests = true },
		"one owner down":     func(x *readExplorer) { x.p.Down = 1 },
		"one owner amnesiac": func(x *readExplorer) { x.p.Amnesiac = 2 },
		"clocks": func(x *readExplorer) {
			x.p.ClockOnly = true
			x.held = []vclock.State{{}, {Clock: vclock.Clock{mine}}, {Clock: vclock.Clock{stranger}}}
		},
		"last write wins": func(x *readExplorer) {
			x.p.Policy = vclock.LastWriteWins
			x.held = []vclock.State{{}, {Siblings: []vclock.Sibling{sibling(mine)}}, {Siblings: []vclock.Sibling{sibling(successor)}}}
		},
	}
	for kind, change := range kinds {
		var sum readTotals
		for n := 2; n <= 3; n++ {
			for _, l := range readLevels(n) {
				x := readExplorer{p: readOf(Owners{Old: FirstN(n)}, l), held: readStates[:3], hedges: true, amnesia: true}
				change(&x)
				sum.explore(t, x)
			}
		}
		sum.log(t, kind)
	}
}

func TestReadAgreesWithTheNaiveOneInEveryOrderDuringATopologyChange(t *testing.T) {
	t.Parallel()
	var sum readTotals
	for _, o := range jointOwners {
		if o.Union().Len() > exploredOwners {
			continue
		}
		for _, l := range []Level{Quorum, One, All}[:7-o.Union().Len()] {
			x := readExplorer{p: readOf(o, l), held: readStates[:2]}
			x.hedges = l == Quorum && o.Union().Len() == 4
			sum.explore(t, x)
		}
	}
	sum.log(t, "two owner sets")
}
