package quorum

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// settleEvents is everything that can become of a read or of a merge: what covers
// the dot, with it or in its place, what does not, and what is broken.
var settleEvents = []settleEvent{
	{answered: true, answer: SettleAnswer{State: stateOf(nil, mine)}},
	{answered: true, answer: SettleAnswer{State: stateOf(vclock.Clock{mine}, successor)}},
	{answered: true, answer: SettleAnswer{State: stateOf(nil, mine, stranger)}},
	{answered: true, answer: SettleAnswer{State: stateOf(nil, stranger)}},
	{answered: true, answer: SettleAnswer{State: vclock.State{Clock: vclock.Clock{mine}}}},
	{answered: true},
	{answered: true, answer: SettleAnswer{State: stateOf(nil, mine), Amnesiac: true}},
	{answered: true, answer: SettleAnswer{Amnesiac: true}},
	{failure: Unanswered},
}

var lastSettleEvents = []settleEvent{
	{answered: true, answer: SettleAnswer{State: vclock.State{Siblings: []vclock.Sibling{sibling(mine)}}}},
	{answered: true, answer: SettleAnswer{State: vclock.State{Siblings: []vclock.Sibling{sibling(successor)}}}},
	{answered: true, answer: SettleAnswer{State: vclock.State{Siblings: []vclock.Sibling{sibling(stranger)}}}},
	{answered: true, answer: SettleAnswer{State: vclock.State{Siblings: []vclock.Sibling{sibling(successor)}}, Amnesiac: true}},
	{answered: true},
	{failure: Unanswered},
}

// A settleExplorer runs a Settle through every order of every event, and compares
// it after each with the naive one.
type settleExplorer struct {
	t         *testing.T
	p         SettleParams
	outcomes  []settleEvent
	sequences map[settleKey]uint64
	compared  int
}

func (x *settleExplorer) compare(s *Settle, step Step, events []settleEvent) {
	x.compared++
	want, got := naiveSettleView(x.p, events), viewSettle(s, step)
	if !want.equal(got) {
		x.t.Fatalf("params %+v\nevents %+v\nnaive   %+v\nmachine %+v", x.p, events, want, got)
	}
}

func (x *settleExplorer) from(s *Settle, events []settleEvent) uint64 {
	key := keyOfSettle(s)
	if n, known := x.sequences[key]; known {
		return n
	}
	var total uint64
	var done []uint16
	for i := range s.out.All {
		part := settlePartOf(s, i)
		if slices.Contains(done, part) {
			continue // an owner with the same part stood for this one
		}
		done = append(done, part)
		var alike uint64
		for j := range s.quota.owners.Union().All {
			if settlePartOf(s, j) == part {
				alike++
			}
		}
		for _, e := range x.outcomes {
			e.replica = i
			total += alike * x.after(*s, append(events, e))
		}
	}
	if s.outcome == Pending {
		total += x.after(*s, append(events, settleEvent{cancel: true}))
	}
	x.sequences[key] = max(total, 1)
	return x.sequences[key]
}

func (x *settleExplorer) after(s Settle, events []settleEvent) uint64 {
	step := applySettle(&s, events[len(events)-1])
	x.compare(&s, step, events)
	return x.from(&s, events)
}

func applySettle(s *Settle, e settleEvent) Step {
	switch {
	case e.cancel:
		return s.Cancel()
	case e.answered:
		return s.Reply(e.replica, e.answer)
	default:
		return s.Fail(e.replica, e.failure)
	}
}

// A settleKey is all that a machine's further course depends on, the names of
// the owners left out.
type settleKey struct {
	owners              [5]uint16
	outcome             Outcome
	merging, superseded bool
	later               vclock.Stamp
	state               uint64
}

func keyOfSettle(s *Settle) settleKey {
	k := settleKey{
		outcome: s.outcome, merging: s.merging, superseded: s.superseded, later: s.later,
		state: s.state.Digest(),
	}
	n := 0
	for i := range s.quota.owners.Union().All {
		k.owners[n] = settlePartOf(s, i)
		n++
	}
	slices.Sort(k.owners[:])
	return k
}

// settlePartOf is all that a machine knows of one owner. It is not 0.
func settlePartOf(s *Settle, i int) uint16 {
	part := uint16(1)
	for _, set := range [...]Set{
		s.quota.owners.Old, s.quota.owners.New, s.holders, s.down, s.out, s.applied, s.amnesiac,
	} {
		part = part<<1 | uint16(set>>i)&1
	}
	return part
}

// settleTotals sums up explorations, for the log.
type settleTotals struct {
	runs, machines, compared int
	sequences                uint64
}

func (n *settleTotals) explore(t *testing.T, p SettleParams) {
	x := settleExplorer{t: t, p: p, outcomes: settleEvents, sequences: map[settleKey]uint64{}}
	if p.Policy == vclock.LastWriteWins {
		x.outcomes = lastSettleEvents
	}
	var s Settle
	require.NoError(t, s.Init(p))
	step := s.Start()
	x.compare(&s, step, nil)
	n.sequences += x.from(&s, nil)
	n.runs++
	n.machines += len(x.sequences)
	n.compared += x.compared
}

func (n *settleTotals) log(t *testing.T, what string) {
	t.Logf("quorum: settle machine, %s: %d requests, %d states, %d steps compared, %d event sequences",
		what, n.runs, n.machines, n.compared, n.sequences)
}

func settleOf(o Owners, l Level, holders Set) SettleParams {
	return SettleParams{Owners: o, Level: l, Dot: mine, Holders: holders}
}

// settlesOf are the requests that are explored for n owners: whoever holds the
// dot, whoever is out of it. With four owners, fewer are out of it.
func settlesOf(n int) []SettleParams {
	var all []SettleParams
	last := SetOf(n - 1) // no holder, unless all are
	for _, l := range readLevels(n) {
		for holding := range n + 1 {
			whole := settleOf(Owners{Old: FirstN(n)}, l, FirstN(holding))
			all = append(all, whole)
			for _, p := range [...]SettleParams{{Down: 1}, {Amnesiac: 1}, {Down: last}, {Amnesiac: last}} {
				p.Owners, p.Level, p.Dot, p.Holders = whole.Owners, l, mine, whole.Holders
				if n < 4 || l == Three { // Quorum of four is Three
					all = append(all, p)
				}
			}
		}
	}
	return all
}

func TestSettleAgreesWithTheNaiveOneInEveryOrderOfEveryEvent(t *testing.T) {
	t.Parallel()
	for n := 1; n <= min(exploredOwners, 4); n++ {
		var sum settleTotals
		for _, p := range settlesOf(n) {
			sum.explore(t, p)
			if p.Policy = vclock.LastWriteWins; n < 4 {
				sum.explore(t, p)
			}
		}
		sum.log(t, fmt.Sprintf("N = %d", n))
	}
}

func TestSettleAgreesWithTheNaiveOneInEveryOrderDuringATopologyChange(t *testing.T) {
	t.Parallel()
	var sum settleTotals
	for _, o := range jointOwners {
		switch o.Union().Len() {
		case 4:
			for _, l := range []Level{One, Quorum, All} {
				if _, err := newQuota(o, l); err == nil {
					sum.explore(t, settleOf(o, l, SetOf(1, 2)))
				}
			}
		case 5:
			sum.explore(t, settleOf(o, Quorum, SetOf(2)))
		}
	}
	sum.log(t, "two owner sets")
}
