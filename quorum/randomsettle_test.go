package quorum

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// randomSettleEvent is mostly about an owner that has something outstanding, and
// sometimes about one that has not, or is none.
func randomSettleEvent(rng *rand.Rand, s *Settle) settleEvent {
	if rng.IntN(60) == 0 {
		return settleEvent{cancel: true}
	}
	outcomes := settleEvents
	if s.policy == vclock.LastWriteWins {
		outcomes = lastSettleEvents
	}
	e := outcomes[rng.IntN(len(outcomes))]
	if rng.IntN(2) == 0 {
		e = outcomes[0] // else few would get as far as the merge
	}
	e.replica = rng.IntN(MaxOwners+2) - 1
	if s.out != 0 && rng.IntN(12) != 0 {
		e.replica = member(rng, s.out)
	}
	return e
}

func TestRandomSettlesAgreeWithTheNaiveOne(t *testing.T) {
	t.Parallel()
	cases, done, compared, won := randomCases(t)/2, 0, 0, 0
	for seed := uint64(0); done < cases; seed++ {
		rng := rand.New(rand.NewPCG(seed, 3))
		o := randomOwners(rng)
		p := settleOf(o, Level(1+rng.IntN(5)), 0)
		p.Policy = vclock.Policy(rng.IntN(4) / 3)
		p.Holders = Set(rng.IntN(1<<MaxOwners)) &^ few(rng, o.Union())
		p.Down, p.Amnesiac = few(rng, o.Union()), few(rng, o.Union())
		var s Settle
		if err := s.Init(p); err != nil {
			require.ErrorIs(t, err, ErrLevel)
			continue
		}
		done++
		step := s.Start()
		var events []settleEvent
		for every := seed%20 == 0; ; {
			if every || rng.IntN(10) == 0 || s.Outstanding() == 0 {
				compared++
				want, got := naiveSettleView(p, events), viewSettle(&s, step)
				if !want.equal(got) {
					t.Fatalf("seed %d: params %+v\nevents %+v\nnaive   %+v\nmachine %+v", seed, p, events, want, got)
				}
			}
			if s.Outstanding() == 0 || len(events) > 40 {
				break
			}
			e := randomSettleEvent(rng, &s)
			step = applySettle(&s, e)
			events = append(events, e)
		}
		if s.Outcome() == Won {
			won++
		}
	}
	require.Greater(t, won, cases/10)
	t.Logf("quorum: settle machine: %d random requests, %d won, %d steps compared", done, won, compared)
}
