package quorum

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// soakVariable sets how many random requests of each kind are tried.
const soakVariable = "PAIRDB_SOAK_HISTORIES"

func randomCases(t *testing.T) int {
	v := os.Getenv(soakVariable)
	if v == "" {
		return randomRequests
	}
	n, err := strconv.Atoi(v)
	require.NoError(t, err, soakVariable)
	return n
}

// randomOwners are one set of 1 to 7, or two that overlap or do not.
func randomOwners(rng *rand.Rand) Owners {
	pick := func() Set {
		var s Set
		for _, i := range rng.Perm(MaxOwners)[:1+rng.IntN(7)] {
			s = s.With(i)
		}
		return s
	}
	o := Owners{Old: pick()}
	switch rng.IntN(4) {
	case 0:
		o.New = pick()
	case 1: // one owner replaced
		for i := range o.Old.All {
			o.New = o.Old.Without(i).With(rng.IntN(MaxOwners))
			break
		}
	}
	return o
}

// few returns a set of owners that is mostly empty.
func few(rng *rand.Rand, of Set) Set {
	var s Set
	for i := range of.All {
		if rng.IntN(12) == 0 {
			s = s.With(i)
		}
	}
	return s
}

func randomClock(rng *rand.Rand) vclock.Clock {
	var c vclock.Clock
	for range rng.IntN(3) {
		c = c.With(vclock.Dot{Actor: vclock.Actor(0x200 + rng.IntN(3)), Stamp: vclock.Stamp(1 + rng.IntN(30))})
	}
	return c
}

func randomAck(rng *rand.Rand, p vclock.Policy) Ack {
	a := Ack{Live: rng.IntN(4) != 0, Amnesiac: rng.IntN(10) == 0}
	d := vclock.Dot{Actor: vclock.Actor(0x300 + rng.IntN(2)), Stamp: vclock.Stamp(20 + rng.IntN(2))}
	switch {
	case p == vclock.LastWriteWins && !a.Live:
		a.State = vclock.State{Siblings: []vclock.Sibling{{Dot: d}}}
	case p == vclock.LastWriteWins:
	case !a.Live:
		a.State = stateOf(randomClock(rng).With(mine), d)
		a.ValuesMissing = rng.IntN(4) == 0
	case rng.IntN(3) == 0:
		a.State.Clock = randomClock(rng).With(mine)
	}
	return a
}

// randomWriteEvent is mostly about an attempt that is outstanding, and sometimes
// about one that is not, or never was.
func randomWriteEvent(rng *rand.Rand, w *Write, p WriteParams) writeEvent {
	if rng.IntN(60) == 0 {
		return writeEvent{cancel: true}
	}
	e := writeEvent{replica: rng.IntN(MaxOwners+2) - 1, failure: Failure(rng.IntN(6)), lost: rng.IntN(10) == 0}
	if w.out != 0 && rng.IntN(12) != 0 {
		e.replica = member(rng, w.out)
	}
	if rng.IntN(3) != 0 {
		e.acked, e.ack = true, randomAck(rng, p.Policy)
	}
	return e
}

func member(rng *rand.Rand, s Set) int {
	skip := rng.IntN(s.Len())
	for i := range s.All {
		if skip == 0 {
			return i
		}
		skip--
	}
	return 0
}

func TestRandomWritesAgreeWithTheNaiveOne(t *testing.T) {
	t.Parallel()
	cases, done, compared := randomCases(t), 0, 0
	for seed := uint64(0); done < cases; seed++ {
		rng := rand.New(rand.NewPCG(seed, 1))
		o := randomOwners(rng)
		p := writeOf(o, Level(1+rng.IntN(5)), vclock.Policy(rng.IntN(8)/7))
		p.Down, p.Amnesiac = few(rng, o.Union()), few(rng, o.Union())
		if p.Policy == vclock.Causal {
			p.Context = randomClock(rng)
		}
		var w Write
		if err := w.Init(p); err != nil {
			require.ErrorIs(t, err, ErrLevel)
			continue
		}
		done++
		step := w.Start()
		var events []writeEvent
		// A tenth of the requests is compared after every event, the others
		// after some: the naive way is slow.
		for every := seed%10 == 0; ; {
			if every || rng.IntN(6) == 0 || w.Outstanding() == 0 {
				compared++
				want, got := naiveWrite{p, events}.view(), viewWrite(&w, step)
				if !want.equal(got) {
					t.Fatalf("seed %d: params %+v\nevents %+v\nnaive   %+v\nmachine %+v", seed, p, events, want, got)
				}
			}
			if w.Outstanding() == 0 || len(events) > 40 {
				break
			}
			e := randomWriteEvent(rng, &w, p)
			step = applyWrite(&w, e)
			events = append(events, e)
		}
	}
	t.Logf("quorum: write machine: %d random requests, %d steps compared", done, compared)
}

func randomReadEvent(rng *rand.Rand, r *Read, p ReadParams) readEvent {
	switch rng.IntN(40) {
	case 0:
		return readEvent{what: cancels}
	case 1, 2, 3:
		return readEvent{what: hedges}
	}
	e := readEvent{replica: rng.IntN(MaxOwners+2) - 1}
	if r.out != 0 && rng.IntN(12) != 0 {
		e.replica = member(rng, r.out)
	}
	if rng.IntN(5) == 0 {
		e.what = fails
		return e
	}
	e.answer = Answer{State: readStates[rng.IntN(len(readStates))], Amnesiac: rng.IntN(12) == 0}
	if p.Policy == vclock.LastWriteWins {
		e.answer.State.Clock = nil
	}
	asksDigest := inRange(e.replica) && !r.outWhole.Has(e.replica)
	if asksDigest != (rng.IntN(20) == 0) { // sometimes what was not asked for
		e.answer = Answer{Digest: e.answer.State.Digest(), IsDigest: true, Amnesiac: e.answer.Amnesiac}
	}
	if p.ClockOnly {
		e.answer.State.Siblings = nil
	}
	return e
}

func TestRandomReadsAgreeWithTheNaiveOne(t *testing.T) {
	t.Parallel()
	cases, done, compared := randomCases(t), 0, 0
	for seed := uint64(0); done < cases; seed++ {
		rng := rand.New(rand.NewPCG(seed, 2))
		p := readOf(randomOwners(rng), Level(1+rng.IntN(5)))
		p.Policy = vclock.Policy(rng.IntN(8) / 7)
		p.ClockOnly, p.NoDigests = rng.IntN(10) == 0, rng.IntN(10) == 0
		p.Down, p.Amnesiac = few(rng, p.Owners.Union()), few(rng, p.Owners.Union())
		rng.Shuffle(len(p.Order), func(i, j int) { p.Order[i], p.Order[j] = p.Order[j], p.Order[i] })
		var r Read
		if err := r.Init(p); err != nil {
			require.ErrorIs(t, err, ErrLevel)
			continue
		}
		done++
		step := r.Start()
		var events []readEvent
		for every := seed%10 == 0; ; {
			if every || rng.IntN(6) == 0 || r.Outstanding() == 0 {
				compared++
				want, got := naiveReadView(p, events), viewRead(&r, step)
				if !want.equal(got) {
					t.Fatalf("seed %d: params %+v\nevents %+v\nnaive   %+v\nmachine %+v", seed, p, events, want, got)
				}
			}
			if r.Outstanding() == 0 || len(events) > 40 {
				break
			}
			e := randomReadEvent(rng, &r, p)
			step = applyRead(&r, e)
			events = append(events, e)
		}
	}
	t.Logf("quorum: read machine: %d random requests, %d steps compared", done, compared)
}
