package pairdb_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/storagepb"
)

// What a repetition comes to while not all owners are well.

func writeKinds() map[string][]pairdb.WriteOption {
	return map[string][]pairdb.WriteOption{"overwrite": {key("1")}, "no context": {key("1"), pairdb.NoContext()}}
}

func TestAFinishedWriteIsADuplicateWhicheverOwnersAreDown(t *testing.T) {
	for name, opts := range writeKinds() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := pairdbtest.New(t, 3)
				keys := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore())).Tenant("t")
				first, err := keys.Put(t.Context(), "k", []byte("v"), opts...)
				require.NoError(t, err)
				for _, n := range cluster.Nodes() {
					n.Stop()
				}
				time.Sleep(5 * time.Second)
				again, err := keys.Put(t.Context(), "k", []byte("v"), opts...)
				require.NoError(t, err)
				require.True(t, again.Duplicate)
				require.Equal(t, first.Dot, again.Dot)
			})
		})
	}
}

// One owner has the write, and the others are down when it is repeated: it may yet become visible.
func TestARepetitionThatReachesTooFewOwnersIsUnknown(t *testing.T) {
	for name, opts := range writeKinds() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := pairdbtest.New(t, 3)
				keys := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore())).Tenant("t")
				others := cluster.Owners("t", "k")[1:]
				for _, n := range others {
					n.RefuseWrite(1, storagepb.Status_OVERLOADED)
				}
				_, err := keys.Put(t.Context(), "k", []byte("v"), opts...)
				require.ErrorIs(t, err, pairdb.ErrUnknown)
				for _, n := range others {
					n.Stop()
				}
				time.Sleep(5 * time.Second)
				_, err = keys.Put(t.Context(), "k", []byte("v"), opts...)
				require.ErrorIs(t, err, pairdb.ErrUnknown)
				require.NotErrorIs(t, err, pairdb.ErrNotApplied)
			})
		})
	}
}

// finishedUnrecorded puts "v" to "k" on all owners, without recording the result, and lets it grow too old.
func finishedUnrecorded(t *testing.T, cluster *pairdbtest.Cluster) *pairdb.Client {
	t.Helper()
	store := newBrokenStore()
	store.failComplete.Store(true)
	first := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
	_, err := first.Put(t.Context(), "k", []byte("v"), key("1"), pairdb.AtLevel(pairdb.All))
	require.NoError(t, err)
	store.failComplete.Store(false)
	time.Sleep(tooOld)
	client := cluster.Client(t, pairdb.WithIdempotency(store))
	require.NoError(t, client.Ready(t.Context()))
	synctest.Wait()
	return client
}

// Two owners say at once that they have it: nothing that the third could say matters.
func TestAnOldWriteIsSettledWithoutWaitingForASlowOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		client := finishedUnrecorded(t, cluster)
		cluster.Owners("t", "k")[2].LoseWrite(1, pairdbtest.BeforeApply)
		begun := time.Now()
		r, err := client.Tenant("t").Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.True(t, r.Duplicate)
		require.Less(t, time.Since(begun), time.Second)
	})
}

func TestAnOldWriteIsSettledThoughAHoldersStateIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		client := finishedUnrecorded(t, cluster)
		cluster.Owners("t", "k")[1].LoseOp(2, pairdbtest.BeforeApply) // the first is the replay
		r, err := client.Tenant("t").Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.True(t, r.Duplicate)
	})
}

func TestTheTailOfASettledWriteEndsLongBeforeItsCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		abandoned(t, cluster, store, "t", 1)
		time.Sleep(tooOld)
		client := cluster.Client(t, pairdb.WithIdempotency(store))
		require.NoError(t, client.Ready(t.Context()))
		cluster.Owners("t", "k")[2].LoseOp(2, pairdbtest.BeforeApply) // the first is the replay, the second the merge
		hour, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := client.Tenant("t").Put(hour, "k", []byte("v"), key("1"))
		require.NoError(t, err)
		closing, cancelClosing := context.WithTimeout(t.Context(), time.Minute)
		defer cancelClosing()
		require.NoError(t, client.Close(closing))
	})
}

// A record of what no node would ever take could not be finished by anybody.
func TestAValueThatIsTooLargeForTheNodesLeavesNoRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		client := cluster.Client(t, pairdb.WithIdempotency(store), pairdb.WithLimits(pairdb.Limits{MaxValueBytes: 4 << 20}))
		require.NoError(t, client.Ready(t.Context()))
		_, err := client.Tenant("t").Put(t.Context(), "k", make([]byte, 2<<20), key("1"))
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrInvalid)
		require.ErrorContains(t, err, "takes at most 1048576")
		_, found, err := store.Lookup(t.Context(), idempotency.Key{Cluster: pairdbtest.ClusterName, Tenant: "t", Key: "k", Token: "1"})
		require.NoError(t, err)
		require.False(t, found)
	})
}
