package pairdb_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

// usually is what every owner takes, and hardly what a read takes that waits for nobody late: a patience of half as
// much again, and the next owner.
const (
	usually = 2 * time.Millisecond
	hardly  = 6 * time.Millisecond
)

// steady makes a world in which all is known to take as long as usual.
func steady(w *world) (first *pairdbtest.Node) {
	slowFirst(w, usually)
	return w.Owners("shop", "k")[0]
}

// readsOf reads "k" so often, one after the other, and returns how many reads took longer than the limit, and
// the longest.
func readsOf(w *world, n int, limit time.Duration) (over int, longest time.Duration) {
	for range n {
		began := time.Now()
		w.get("k")
		took := time.Since(began)
		if took > limit {
			over++
		}
		longest = max(longest, took)
	}
	return over, longest
}

// flow begins a read every half a millisecond, whatever became of the others, and returns how many took
// longer than the limit, and the longest, once all have ended.
func flow(w *world, n int, limit time.Duration) (over int, longest time.Duration) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			began := time.Now()
			w.get(fmt.Sprintf("k%d", i%50))
			mu.Lock()
			defer mu.Unlock()
			if took := time.Since(began); took > limit {
				over, longest = over+1, max(longest, took)
			}
		})
		time.Sleep(time.Millisecond / 2)
	}
	all.Wait()
	return over, longest
}

// inFlow makes a world in which a flow of reads is usual.
func inFlow(t *testing.T, f func(t *testing.T, w *world), opts ...pairdb.Option) {
	inBubble(t, func(t *testing.T, w *world) {
		for i := range 50 {
			w.put(fmt.Sprintf("k%d", i), "v")
		}
		for _, n := range w.Nodes() {
			n.Delay(usually)
		}
		flow(w, 1000, 0)
		f(t, w)
	}, opts...)
}

func asked(w *world, node *pairdbtest.Node) uint64 {
	for _, n := range w.client.Stats().Nodes {
		if n.Node == node.ID() {
			return n.Sent
		}
	}
	return 0
}

func extra(w *world) uint64 {
	s := w.client.Stats()
	return s.Hedges + s.Probes
}

func TestAnOwnerThatTurnsSlowIsKnownAfterTensOfReads(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		steady(w).Delay(50 * time.Millisecond)
		over, longest := readsOf(w, 60, hardly)
		require.LessOrEqual(t, over, 5, "hedges for ten are saved up, and 13 late answers move the p95")
		require.LessOrEqual(t, longest, 50*time.Millisecond)
		over, _ = readsOf(w, 1000, usually)
		require.Zero(t, over)
	})
}

func TestOneSlowOwnerOfThreeCostsNoMoreThanTheReadsOfItsOnset(t *testing.T) {
	inFlow(t, func(t *testing.T, w *world) {
		w.Nodes()[0].Delay(50 * time.Millisecond)
		over, _ := flow(w, 200, hardly)
		require.LessOrEqual(t, over, 32, "what was sent to it within 20 ms of silence")
		before := extra(w)
		over, _ = flow(w, 2000, usually)
		require.Zero(t, over)
		require.LessOrEqual(t, extra(w)-before, uint64(8), "probes, rarer and rarer")
	})
}

func TestWhatAQuickOwnerTakesSaysWhenAnotherIsLate(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		first := steady(w)
		first.Delay(3 * usually) // not slow enough to be asked last
		readsOf(w, 300, usually)
		first.Delay(200 * time.Millisecond)
		_, longest := readsOf(w, 1, usually)
		require.LessOrEqual(t, longest, 4*usually+usually, "not half as much again as its own")
	})
}

func TestAnOwnerWhoseUsualIsTheOthersWorstIsSlow(t *testing.T) {
	inFlow(t, func(t *testing.T, w *world) {
		// One read in eight or so takes 15 ms anywhere, and all take 50 ms at one owner.
		jitter := func(n int) {
			for range n {
				for i, node := range w.Nodes()[1:] {
					node.Delay(15 * time.Millisecond)
					flow(w, 4, 0)
					node.Delay(usually)
					flow(w, 8+i, 0)
				}
			}
		}
		slow := w.Nodes()[0]
		slow.Delay(50 * time.Millisecond)
		jitter(25)
		before := asked(w, slow)
		jitter(25)
		require.LessOrEqual(t, asked(w, slow)-before, uint64(40), "of some 600 reads, 400 in its turn")
	})
}

func TestNoSlowOwnerStandsInForOneThatIsQuickerStill(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		steady(w).Delay(50 * time.Millisecond)
		readsOf(w, 3000, usually)
		before := w.client.Stats().Hedges
		w.Owners("shop", "k")[1].Delay(20 * time.Millisecond)
		_, longest := readsOf(w, 5, usually)
		require.Equal(t, 20*time.Millisecond, longest)
		require.Equal(t, before, w.client.Stats().Hedges)
	})
}

func TestProbingASlowOwnerMakesNobodyWaitAndIsRare(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		slow := steady(w)
		slow.Delay(50 * time.Millisecond)
		readsOf(w, 1000, usually)
		sent, before := asked(w, slow), w.client.Stats()
		over, _ := readsOf(w, 5000, usually)
		require.Zero(t, over)
		after := w.client.Stats()
		require.NotZero(t, after.Probes-before.Probes)
		require.LessOrEqual(t, after.Probes-before.Probes, uint64(12), "one a second, in ten seconds")
		require.Equal(t, before.Hedges, after.Hedges)
		require.Equal(t, after.Probes-before.Probes, asked(w, slow)-sent)
	})
}

func TestAnOwnerThatIsQuickAgainIsAskedAgain(t *testing.T) {
	for _, was := range []time.Duration{50 * time.Millisecond, 2 * time.Second} {
		inBubble(t, func(t *testing.T, w *world) {
			slow := steady(w)
			slow.Delay(was)
			readsOf(w, 3000, usually)
			slow.Delay(usually)
			time.Sleep(2 * time.Second) // the probe that is under way, and the pause
			over, _ := readsOf(w, 400, usually)
			require.Zero(t, over)
			before := asked(w, slow)
			readsOf(w, 100, usually)
			require.EqualValues(t, 100, asked(w, slow)-before, "in its turn")
		})
	}
}

func TestAFrozenOwnerHoldsUpNoReadThatBeginsOnceItIsSilent(t *testing.T) {
	inFlow(t, func(t *testing.T, w *world) {
		frozen := w.Nodes()[0]
		frozen.Freeze()
		over, longest := flow(w, 100, hardly)
		require.LessOrEqual(t, over, 32)
		require.LessOrEqual(t, longest, 50*time.Millisecond, "stood in for, whatever the budget")
		over, _ = flow(w, 2000, usually)
		require.Zero(t, over)

		frozen.Thaw()
		flow(w, 2000, 0)
		before := asked(w, frozen)
		over, _ = flow(w, 300, usually)
		require.Zero(t, over)
		require.GreaterOrEqual(t, asked(w, frozen)-before, uint64(100), "in its turn")
	})
}

func TestAnOwnerThatIsDownHoldsUpNoRead(t *testing.T) {
	inFlow(t, func(t *testing.T, w *world) {
		w.Nodes()[0].Stop()
		before := extra(w)
		over, _ := flow(w, 2000, usually)
		require.Zero(t, over)
		require.Equal(t, before, extra(w))
	})
}

func TestASlowOwnerThatTheLevelNeedsIsNotProbedBesides(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		slow := steady(w)
		slow.Delay(50 * time.Millisecond)
		readsOf(w, 300, usually)
		w.Owners("shop", "k")[1].Stop()
		readsOf(w, 20, usually)
		before := extra(w)
		_, longest := readsOf(w, 100, usually)
		require.Equal(t, 50*time.Millisecond, longest)
		require.Equal(t, before, extra(w), "there is nobody else to ask")
	})
}

func TestOneLateAnswerTurnsNoReadAway(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		first := steady(w)
		first.LoseOp(1, pairdbtest.BeforeApply)
		readsOf(w, 1, usually)
		time.Sleep(10 * time.Second)
		readsOf(w, 1, usually)
		time.Sleep(time.Second) // the node is heard
		before := asked(w, first)
		readsOf(w, 100, usually)
		require.EqualValues(t, 100, asked(w, first)-before)
	})
}

func TestAnOwnerThatLosesReadsAndIsHeardOtherwiseIsFoundSlow(t *testing.T) {
	inFlow(t, func(t *testing.T, w *world) {
		// Every other operation is lost, so that it is never silent.
		for i := 1; i < 2000; i += 2 {
			w.Nodes()[0].LoseOp(i, pairdbtest.BeforeApply)
		}
		over, _ := flow(w, 1000, hardly)
		require.LessOrEqual(t, over, 60)
	})
}

func TestAQuickOwnerOfTheClientsZoneIsPreferredAndASlowOneIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, pairdbtest.New(t, 3, pairdbtest.Zones("a", "b", "c")), pairdb.WithZone("b"))
		near := w.Nodes()[1]
		w.put("k", "v")
		for _, n := range w.Nodes() {
			n.Delay(usually)
		}
		reads := func(n int) (longest time.Duration) {
			for range n {
				began := time.Now()
				w.get("k", pairdb.AtLevel(pairdb.One))
				longest = max(longest, time.Since(began))
			}
			return longest
		}
		reads(400)
		sent := w.sent()
		before := asked(w, near)
		require.Equal(t, usually, reads(100))
		require.EqualValues(t, 100, asked(w, near)-before)
		require.EqualValues(t, 100, w.sent()-sent, "no other is asked")

		near.Delay(50 * time.Millisecond)
		reads(100)
		require.Equal(t, usually, reads(1000), "one of another zone is asked instead")

		near.Delay(usually)
		time.Sleep(2 * time.Second)
		reads(400)
		before = asked(w, near)
		require.Equal(t, usually, reads(100))
		require.EqualValues(t, 100, asked(w, near)-before)
	})
}
