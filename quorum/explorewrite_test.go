package quorum

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// The writes that the explorations speak of: mine is the one being decided,
// stranger was there before and is in nobody's context, successor was made on top
// of mine.
var (
	mine      = vclock.Dot{Actor: 0x100, Stamp: 10}
	stranger  = vclock.Dot{Actor: 0x200, Stamp: 5}
	successor = vclock.Dot{Actor: 0x300, Stamp: 20}
)

func sibling(d vclock.Dot) vclock.Sibling {
	return vclock.Sibling{Dot: d, Value: []byte(d.String())}
}

func stateOf(covers vclock.Clock, dots ...vclock.Dot) vclock.State {
	s := vclock.State{Clock: covers}
	for _, d := range dots {
		s.Clock = s.Clock.With(d)
		s.Siblings = append(s.Siblings, sibling(d))
	}
	slices.SortFunc(s.Siblings, func(x, y vclock.Sibling) int { return vclock.CompareDots(x.Dot, y.Dot) })
	return s
}

// causalEvents is everything that can become of an attempt at a causal write.
var causalEvents = []writeEvent{
	{acked: true, ack: Ack{Live: true}},
	{acked: true, ack: Ack{Live: true, State: stateOf(vclock.Clock{mine, stranger})}},
	{acked: true, ack: Ack{State: stateOf(vclock.Clock{mine}, successor)}},
	{acked: true, ack: Ack{State: stateOf(vclock.Clock{mine}, successor).WithoutValues(), ValuesMissing: true}},
	{acked: true, ack: Ack{State: stateOf(vclock.Clock{mine}, successor, stranger)}},
	{acked: true, ack: Ack{Live: true, Amnesiac: true}},
	{acked: true, ack: Ack{State: stateOf(vclock.Clock{mine}, successor), Amnesiac: true}},
	{failure: Refused},
	{failure: NotSent},
	{failure: Unanswered},
}

var lastEvents = []writeEvent{
	{acked: true, ack: Ack{Live: true}},
	{acked: true, ack: Ack{State: vclock.State{Siblings: []vclock.Sibling{{Dot: successor}}}}},
	{acked: true, ack: Ack{State: vclock.State{Siblings: []vclock.Sibling{{Dot: successor}}}, Amnesiac: true}},
	{acked: true, ack: Ack{Live: true, Amnesiac: true}},
	{failure: Refused},
	{failure: NotSent},
	{failure: Unanswered},
}

// A writeExplorer runs a Write through every order of every event, and compares
// it after each with the naive one. Machines that differ only in the names of
// owners with the same part in the request are explored once.
type writeExplorer struct {
	t         *testing.T
	p         WriteParams
	outcomes  []writeEvent
	sequences map[writeKey]uint64 // how many ways lead on from a machine to the end
	compared  int
}

func exploreWrite(t *testing.T, p WriteParams, outcomes []writeEvent) *writeExplorer {
	x := &writeExplorer{t: t, p: p, outcomes: outcomes, sequences: map[writeKey]uint64{}}
	var w Write
	require.NoError(t, w.Init(p))
	step := w.Start()
	x.compare(&w, step, nil)
	x.from(&w, nil)
	return x
}

func (x *writeExplorer) compare(w *Write, step Step, events []writeEvent) {
	x.compared++
	want, got := naiveWrite{x.p, events}.view(), viewWrite(w, step)
	if !want.equal(got) {
		x.t.Fatalf("params %+v\nevents %+v\nnaive   %+v\nmachine %+v", x.p, events, want, got)
	}
}

func (x *writeExplorer) from(w *Write, events []writeEvent) uint64 {
	key := keyOfWrite(w)
	if n, known := x.sequences[key]; known {
		return n
	}
	var total uint64
	var done []uint16
	for i := range w.out.All {
		if slices.Contains(done, partOf(w, i)) {
			continue // an owner with the same part stood for this one
		}
		done = append(done, partOf(w, i))
		for _, e := range x.outcomes {
			e.replica = i
			total += uint64(alike(w, i)) * x.after(*w, append(events, e))
		}
	}
	if w.outcome == Pending {
		total += x.after(*w, append(events, writeEvent{cancel: true}))
	}
	x.sequences[key] = max(total, 1)
	return x.sequences[key]
}

func (x *writeExplorer) after(w Write, events []writeEvent) uint64 {
	step := applyWrite(&w, events[len(events)-1])
	x.compare(&w, step, events)
	return x.from(&w, events)
}

func applyWrite(w *Write, e writeEvent) Step {
	switch {
	case e.cancel:
		return w.Cancel()
	case e.acked:
		return w.Reply(e.replica, e.ack)
	case e.lost:
		return w.Refuse(e.replica, Refusal{Failure: e.failure, Amnesiac: true})
	default:
		return w.Fail(e.replica, e.failure)
	}
}

// A writeKey is all that a machine's further course depends on, the names of
// the owners left out.
type writeKey struct {
	owners             [5]uint16
	outcome            Outcome
	traced, superseded bool
	later              vclock.Stamp
	successor          uint64
}

func keyOfWrite(w *Write) writeKey {
	k := writeKey{
		outcome: w.outcome, traced: w.traced, superseded: w.superseded, later: w.later,
		successor: w.successor.Digest(),
	}
	n := 0
	for i := range w.quota.owners.Union().All {
		k.owners[n] = partOf(w, i)
		n++
	}
	slices.Sort(k.owners[:])
	return k
}

// partOf is all that a machine knows of one owner. It is not 0.
func partOf(w *Write, i int) uint16 {
	part := uint16(1)
	for _, s := range [...]Set{
		w.quota.owners.Old, w.quota.owners.New, w.down, w.out,
		w.applied, w.amnesiac, w.live, w.repaired, w.unseen, w.seen,
	} {
		part = part<<1 | uint16(s>>i)&1
	}
	return part
}

// alike counts the owners whose part is that of i.
func alike(w *Write, i int) int {
	n := 0
	for j := range w.quota.owners.Union().All {
		if partOf(w, i) == partOf(w, j) {
			n++
		}
	}
	return n
}

// writeTotals sums up explorations, for the log.
type writeTotals struct {
	runs, machines, compared int
	sequences                uint64
}

func (n *writeTotals) explore(t *testing.T, p WriteParams) {
	outcomes := causalEvents
	if p.Policy == vclock.LastWriteWins {
		outcomes = lastEvents
	}
	n.exploreThese(t, p, outcomes)
}

func (n *writeTotals) exploreThese(t *testing.T, p WriteParams, outcomes []writeEvent) {
	x := exploreWrite(t, p, outcomes)
	n.runs++
	n.machines += len(x.sequences)
	n.compared += x.compared
	var start Write
	require.NoError(t, start.Init(p))
	start.Start()
	n.sequences += x.sequences[keyOfWrite(&start)]
}

func (n *writeTotals) log(t *testing.T, what string) {
	t.Logf("quorum: write machine, %s: %d requests, %d states, %d steps compared, %d event sequences",
		what, n.runs, n.machines, n.compared, n.sequences)
}

func writeOf(o Owners, l Level, policy vclock.Policy) WriteParams {
	return WriteParams{Owners: o, Level: l, Policy: policy, Sibling: sibling(mine)}
}

// unfits are owners that are out of the request from the start.
var unfits = []struct{ down, amnesiac Set }{{}, {down: 1}, {amnesiac: 1}}

func TestWriteAgreesWithTheNaiveOneInEveryOrderOfEveryEvent(t *testing.T) {
	t.Parallel()
	for n := 1; n <= exploredOwners; n++ {
		var sum writeTotals
		for l := One; l <= All; l++ {
			if need, ok := l.Need(n); !ok || n == 5 && l == Quorum && need == 3 {
				continue // Quorum of five is Three
			}
			for _, unfit := range unfits {
				for _, p := range []WriteParams{
					writeOf(Owners{Old: FirstN(n)}, l, vclock.Causal),
					writeOf(Owners{Old: FirstN(n)}, l, vclock.LastWriteWins),
				} {
					p.Down, p.Amnesiac = unfit.down, unfit.amnesiac
					sum.explore(t, p)
				}
			}
		}
		sum.log(t, fmt.Sprintf("N = %d", n))
	}
}

// jointOwners are owner sets in the midst of a change: one owner replaced, two
// replaced, all replaced, the replication factor raised and lowered.
var jointOwners = []Owners{
	{Old: SetOf(0, 1, 2), New: SetOf(1, 2, 3)},
	{Old: SetOf(0, 1, 2), New: SetOf(2, 3, 4)},
	{Old: SetOf(0, 1), New: SetOf(2, 3)},
	{Old: SetOf(0, 1, 2), New: SetOf(0, 1, 2, 3, 4)},
	{Old: SetOf(0, 1, 2, 3, 4), New: SetOf(0, 1, 2)},
	{Old: SetOf(0), New: SetOf(1, 2, 3)},
}

func TestWriteAgreesWithTheNaiveOneInEveryOrderDuringATopologyChange(t *testing.T) {
	t.Parallel()
	var sum writeTotals
	for _, o := range jointOwners {
		if o.Union().Len() > exploredOwners {
			continue
		}
		for _, l := range []Level{One, Quorum, All} {
			if _, err := newQuota(o, l); err != nil {
				continue
			}
			sum.explore(t, writeOf(o, l, vclock.Causal))
		}
	}
	sum.log(t, "two owner sets")
}
