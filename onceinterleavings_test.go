package pairdb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/storagepb"
)

// Interleaving 2: a lane that forgets. d is offered to the idempotency store and
// refused everywhere; the same client writes z, which has not seen d; somebody replays d.
//
//	A: begin d; n1, n2, n3 refuse d
//	A: write z, without a context: acknowledged
//	B: meets d unfinished, sends d
//
// Under d's actor, z's clock would cover d: acknowledged and lost.
func TestAReplayOfARefusedWriteIsNotTakenForCovered(t *testing.T) {
	play := func(t *testing.T, opts ...pairdb.Option) []string {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		keys := cluster.Client(t, append(opts, pairdb.WithIdempotency(store))...).Tenant("t")
		for _, n := range cluster.Nodes() {
			n.RefuseWrite(1, storagepb.Status_OVERLOADED)
		}
		_, err := keys.Put(t.Context(), "k", []byte("d"), pairdb.NoContext(), key("1"))
		require.Error(t, err)
		time.Sleep(time.Second)
		_, err = keys.Put(t.Context(), "k", []byte("z"), pairdb.NoContext())
		require.NoError(t, err)
		r, err := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t").
			Put(t.Context(), "k", []byte("d"), pairdb.NoContext(), key("1"))
		require.NoError(t, err)
		require.True(t, r.Duplicate)
		obj, err := keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		return values(obj)
	}
	synctest.Test(t, func(t *testing.T) {
		require.ElementsMatch(t, []string{"d", "z"}, play(t))
	})
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, []string{"z"}, play(t, pairdb.WithOneLane()), "without the rule the case comes back")
	})
}

// Interleaving 9: settling by a coordinator's clock.
//
//	A: begin d; n2, n3 refuse d; d is on its way to n1
//	B: whose clock is ahead, finds d older than the window, and nobody has it
//	n1: takes d
//
// If B wrote d's value anew, the key would have two effects.
func TestWhetherAWriteIsTooOldIsForTheNodesToSay(t *testing.T) {
	play := func(t *testing.T, opts ...pairdb.Option) int {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		owners := cluster.Owners("t", "k")
		slow := owners[0].HoldWrite(1, pairdbtest.BeforeApply)
		owners[1].RefuseWrite(1, storagepb.Status_OVERLOADED)
		owners[2].RefuseWrite(1, storagepb.Status_OVERLOADED)
		behind := pairdb.WithNow(func() time.Time { return time.Now().Add(-9*time.Minute - 30*time.Second) })
		_, err := cluster.Client(t, behind, pairdb.WithIdempotency(store)).Tenant("t").
			Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), key("1"))
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		<-slow.Reached()
		ahead := pairdb.WithNow(func() time.Time { return time.Now().Add(50 * time.Second) })
		keys := cluster.Client(t, append(opts, ahead, pairdb.WithIdempotency(store))...).Tenant("t")
		_, err = keys.Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), key("1"))
		require.NoError(t, err)
		slow.Release()
		synctest.Wait()
		return len(dots(cluster, "k"))
	}
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, 1, play(t))
	})
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, 2, play(t, pairdb.WithSettlingByOwnClock()), "without the rule the case comes back")
	})
}

// Interleaving 10: a Put without a context under an idempotency key takes effect, z is written
// beside it, and the Put is repeated. It covers what it covered when it began: not z.
func TestAReplayCoversNothingThatWasWrittenAfterTheFirstEffect(t *testing.T) {
	play := func(t *testing.T, opts ...pairdb.Option) []string {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		store.failComplete.Store(true)
		keys := cluster.Client(t, append(opts, pairdb.WithIdempotency(store))...).Tenant("t")
		_, err := keys.Put(t.Context(), "k", []byte("old"))
		require.NoError(t, err)
		_, err = keys.Put(t.Context(), "k", []byte("d"), key("1"))
		require.NoError(t, err)
		_, err = cluster.Client(t).Tenant("t").Put(t.Context(), "k", []byte("z"), pairdb.NoContext())
		require.NoError(t, err)
		_, err = keys.Put(t.Context(), "k", []byte("d"), key("1"))
		require.NoError(t, err)
		obj, err := keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		return values(obj)
	}
	synctest.Test(t, func(t *testing.T) {
		require.ElementsMatch(t, []string{"d", "z"}, play(t))
	})
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, []string{"d"}, play(t, pairdb.WithReplaysThatCoverAnew()), "without the rule the case comes back")
	})
}
