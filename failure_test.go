package pairdb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/topology"
)

func TestOneOwnerDownAQuorumGoesOnAndTheHookTellsWhoMissedTheWrite(t *testing.T) {
	seen := &recorder{}
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(1).Stop()
		synctest.Wait()
		r := w.put("k", "v")
		require.Equal(t, 2, r.Acked)
		require.Equal(t, []string{"v"}, w.values("k"))
		require.Equal(t, 2, w.holders("k", "v"))
		require.Equal(t, []pairdb.Missed{
			{Tenant: "shop", Key: "k", Dot: r.Dot, Nodes: []topology.NodeID{"n2"}},
		}, seen.missed())
		require.EqualValues(t, 1, w.client.Stats().Missed)
	}, pairdb.WithHooks(seen))
}

func TestAnOwnerThatFallsSilentMissesTheWriteWhenTheTailEnds(t *testing.T) {
	seen := &recorder{}
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(2).LoseWrite(1, pairdbtest.BeforeApply)
		r := w.put("k", "v", pairdb.NoContext())
		require.Empty(t, seen.missed(), "it may yet answer")
		require.EqualValues(t, 1, w.client.Stats().InFlight)
		time.Sleep(11 * time.Second)
		require.Equal(t, []topology.NodeID{"n3"}, seen.missed()[0].Nodes)
		require.Equal(t, r.Dot, seen.missed()[0].Dot)
		require.Zero(t, w.client.Stats().InFlight)
	}, pairdb.WithHooks(seen))
}

func TestTwoOwnersDownAWriteIsNotAppliedAndNothingIsSent(t *testing.T) {
	seen := &recorder{}
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Stop()
		w.Node(1).Stop()
		synctest.Wait()
		sent := w.sent()
		for _, opts := range [][]pairdb.WriteOption{nil, {pairdb.NoContext()}} {
			err := put("k", []byte("v"), opts...)(t.Context(), w)
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
			require.ErrorIs(t, err, pairdb.ErrUnavailable)
			require.True(t, pairdb.Retryable(err))
		}
		requireNoOutcome(t, get("k")(t.Context(), w))
		require.Equal(t, sent, w.sent())
		require.Empty(t, seen.missed(), "nobody misses what was not applied")
		w.Heal()
		require.NoError(t, w.client.Ready(soon(t)))
		w.put("k", "v")
	}, pairdb.WithHooks(seen))
}

func TestAWriteWhoseAnswersWereLostIsUnknownVisibleAndRepaired(t *testing.T) {
	seen := &recorder{}
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).FailWrite(1, pairdbtest.AfterApply)
		w.Node(1).FailWrite(1, pairdbtest.BeforeApply)
		w.Node(2).FailWrite(1, pairdbtest.BeforeApply)
		err := put("k", []byte("v"))(t.Context(), w)
		requireOneOutcome(t, err, pairdb.ErrUnknown)
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.False(t, pairdb.Retryable(err))
		time.Sleep(10 * time.Second)
		require.Equal(t, 1, w.holders("k", "v"))
		require.Equal(t, "v", string(w.get("k", pairdb.AtLevel(pairdb.All)).Value))
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "v"), "read repair has brought it")
		require.EqualValues(t, 2, w.client.Stats().Repairs)
		require.Len(t, seen.repairs(), 2)
		s := w.client.Stats()
		require.Equal(t, []uint64{1, 1, 0}, []uint64{s.Failed, s.Unknown, s.NotApplied})
	}, pairdb.WithHooks(seen))
}

func TestAReadThatFindsOwnersApartRepairsThem(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Stop()
		w.put("k", "v")
		w.Node(0).Start()
		w.Node(1).Stop()
		time.Sleep(10 * time.Second)
		require.Equal(t, "v", string(w.get("k").Value), "the empty owner's digest differs")
		w.Heal()
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "v"))
	})
}

func TestSiblingsApartAreJoinedByOneReadAndEqualAfterIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for i, n := range w.Nodes() {
			n.RefuseWrite(1, storagepb.Status_OVERLOADED)
			w.Node((i+1)%3).RefuseWrite(1, storagepb.Status_OVERLOADED)
			require.NoError(t, put("k", []byte{'a' + byte(i)}, pairdb.NoContext(), pairdb.AtLevel(pairdb.One))(t.Context(), w))
			synctest.Wait()
		}
		require.Len(t, w.get("k", pairdb.AtLevel(pairdb.All)).Siblings, 3)
		synctest.Wait()
		for _, n := range w.Nodes() {
			state, _ := n.State("shop", "k")
			require.Len(t, state.Siblings, 3)
		}
	})
}

func TestAWriteBeyondTheSiblingLimitIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, pairdbtest.New(t, 3, pairdbtest.NodeLimits(pairdbtest.Limits{MaxSiblings: 2})))
		w.put("k", "a", pairdb.NoContext())
		w.put("k", "b", pairdb.NoContext())
		err := put("k", []byte("c"), pairdb.NoContext(), pairdb.AtLevel(pairdb.One))(t.Context(), w)
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrTooManySiblings)
		require.NotErrorIs(t, err, pairdb.ErrUnavailable)
		require.False(t, pairdb.Retryable(err))
		w.put("k", "d", pairdb.After(w.get("k").Context))
		require.Equal(t, 3, w.holders("k", "d"), "as the error advises")
	})
}

func TestANodeWhoseClockIsOffRefusesAndTheOthersGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Skew(-time.Hour)
		require.Equal(t, 2, w.put("k", "v").Acked)
		err := put("k", nil, pairdb.AtLevel(pairdb.All), pairdb.NoContext())(t.Context(), w)
		require.ErrorIs(t, err, pairdb.ErrClockSkew)
		requireOneOutcome(t, err, pairdb.ErrUnknown) // the others stored it, or may
	})
}

func TestAnAmnesiacNodeIsWrittenToAndCountsForNoQuorumUntilTheTopologyNamesItsStore(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		w.Node(0).Wipe()
		time.Sleep(10 * time.Second)
		require.True(t, w.client.Health().Nodes[0].Amnesiac)
		require.True(t, w.client.Health().Ready())
		require.Equal(t, 2, w.put("k", "w").Acked, "it is not counted")
		require.Equal(t, 3, w.holders("k", "w"), "it is written to")
		require.ErrorIs(t, put("k", nil, pairdb.AtLevel(pairdb.All))(t.Context(), w), pairdb.ErrUnavailable)

		w.Node(1).Stop() // one that counts is left
		synctest.Wait()
		require.ErrorIs(t, get("k")(t.Context(), w), pairdb.ErrUnavailable)
		requireOneOutcome(t, put("k", nil)(t.Context(), w), pairdb.ErrNotApplied)
		require.False(t, w.client.Health().Ready())

		require.NoError(t, w.SetTopology(func(topo *topology.Topology) { topo.Nodes[0].StoreID = w.Node(0).StoreID() }))
		synctest.Wait()
		require.False(t, w.client.Health().Nodes[0].Amnesiac)
		require.Equal(t, "w", string(w.get("k").Value))
		w.put("k", "x")
	})
}

func TestANodeThatLosesItsStoreDuringAWriteDoesNotCountForIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		require.NoError(t, w.SetTopology(func(topo *topology.Topology) {
			for i := range topo.Nodes {
				topo.Nodes[i].StoreID = w.Node(i).StoreID()
			}
		}))
		w.put("k", "v")
		require.NoError(t, w.client.Close(soon(t)))
		w.Node(0).Wipe() // unseen: the next client has never met the node
		fresh := newWorld(t, w.Cluster)
		require.True(t, fresh.client.Health().Nodes[0].Amnesiac, "the topology knows the store")
	})
}

func TestAFrozenNodeHoldsUpNeitherReadsNorWrites(t *testing.T) {
	for i := range 3 {
		inBubble(t, func(t *testing.T, w *world) {
			w.put("k", "v")
			w.Node(i).Freeze()
			began := time.Now()
			for range 20 {
				require.Equal(t, "v", string(w.get("k").Value))
			}
			require.Less(t, time.Since(began), 20*300*time.Millisecond, "a stand-in is asked")
			began = time.Now()
			require.NoError(t, put("k", []byte("w"), pairdb.NoContext())(t.Context(), w))
			require.Zero(t, time.Since(began))
			time.Sleep(20 * time.Second)
			began = time.Now()
			require.NoError(t, get("k")(t.Context(), w))
			require.NoError(t, put("k", []byte("w"))(t.Context(), w))
			require.Zero(t, time.Since(began), "it is known to be down")
		})
	}
}
