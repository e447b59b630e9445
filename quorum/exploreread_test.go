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
		lost := Answer{Amnesiac: true, IsDigest: !r.outWhole.Has(i)}
		total += x.after(*r, append(events, readEvent{replica: i, answer: lost}))
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

func (n *readTotals) explore(t *testing.T, p ReadParams, held int, hedges bool) {
	var r Read
	require.NoError(t, r.Init(p))
	x := &readExplorer{t: t, p: p, held: readStates[:held], hedges: hedges, sequences: map[readKey]uint64{}}
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

func TestReadAgreesWithTheNaiveOneInEveryOrderOfEveryEvent(t *testing.T) {
	for n := 1; n <= 5; n++ {
		var sum readTotals
		for l := One; l <= All; l++ {
			if need, ok := l.Need(n); !ok || n == 5 && l == Quorum && need == 3 {
				continue // Quorum of five is Three
			}
			held := 7 - n
			p := readOf(Owners{Old: FirstN(n)}, l)
			sum.explore(t, p, min(held, 4), true)
		}
		sum.log(t, fmt.Sprintf("N = %d", n))
	}
}
