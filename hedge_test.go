package pairdb_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

// slowFirst makes the owners that a read of "k" asks first slow, once the
// client has learnt what is usual and saved up what hedges cost.
func slowFirst(w *world, d time.Duration) {
	w.put("k", "v")
	for _, n := range w.Nodes() {
		n.Delay(2 * time.Millisecond)
	}
	for range 400 {
		w.get("k")
	}
	w.Owners("shop", "k")[0].Delay(d)
}

func TestAReadAsksTheNextOwnerWhenOneIsLate(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		slowFirst(w, 200*time.Millisecond)
		began := time.Now()
		require.Equal(t, "v", string(w.get("k").Value))
		require.Less(t, time.Since(began), 20*time.Millisecond)
		require.EqualValues(t, 1, w.client.Stats().Hedges)
	})
}

func TestAnOwnerThatIsSlowerThanTheOthersIsAskedLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		slowFirst(w, 50*time.Millisecond)
		slow := w.Owners("shop", "k")[0]
		for range 300 { // until it is known to be slow
			w.get("k")
		}
		asked := func() uint64 {
			for _, n := range w.client.Stats().Nodes {
				if n.Node == slow.ID() {
					return n.Sent
				}
			}
			return 0
		}
		before := asked()
		for range 128 {
			w.get("k")
		}
		require.LessOrEqual(t, asked()-before, uint64(2), "now and then, to see whether it has recovered")
		require.NotZero(t, asked()-before)
	})
}

func TestAnOwnerThatHasFallenSilentIsAskedLast(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		w.Owners("shop", "k")[0].Freeze()
		w.get("k")
		time.Sleep(2 * time.Second)
		began := time.Now()
		for range 10 {
			w.get("k")
		}
		require.Zero(t, time.Since(began))
	})
}

func TestHedgesStayWithinTheirBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for range 7 { // the usual latency is not known yet, and nothing is saved up
			w.Owners("shop", "k")[0].Delay(100 * time.Millisecond)
			require.ErrorIs(t, get("k")(t.Context(), w), pairdb.ErrNotFound)
		}
		require.Zero(t, w.client.Stats().Hedges)
		slowFirst(w, 100*time.Millisecond)
		for _, n := range w.Nodes() {
			n.Delay(100 * time.Millisecond) // all are slow: asking twice helps nobody
		}
		const reads = 30
		for range reads {
			w.get("k")
		}
		require.NotZero(t, w.client.Stats().Hedges)
		require.LessOrEqual(t, w.client.Stats().Hedges, uint64(10+reads/20), "ten saved up, and one read in twenty")
	})
}

func TestAnOwnerThatIsLateByAnyMeasureIsStoodInForWithoutABudget(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		w.Owners("shop", "k")[0].Freeze()
		began := time.Now()
		require.Equal(t, "v", string(w.get("k").Value))
		require.LessOrEqual(t, time.Since(began), 300*time.Millisecond)
		require.EqualValues(t, 1, w.client.Stats().Hedges)
	})
}
