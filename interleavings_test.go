package pairdb_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
)

// Event sequences that broke earlier drafts, at the height of the whole client.
// The others are in the packages whose rules prevent them: vclock (1, 2, 6, 11, 12),
// quorum (6, 8, 13) and internal/node (7, 11).

func values(o pairdb.Object) (live []string) {
	for _, s := range o.Siblings {
		if !s.Deleted {
			live = append(live, string(s.Value))
		}
	}
	return live
}

// Interleaving 1: two goroutines, one old context. Both writes are acknowledged, so both survive.
func TestTwoGoroutinesWithOneOldContextBothSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		keys := cluster.Client(t).Tenant("t")
		r, err := keys.Put(t.Context(), "k", []byte("old"))
		require.NoError(t, err)
		var both sync.WaitGroup
		for _, v := range []string{"a", "b"} {
			both.Go(func() {
				_, err := keys.Put(t.Context(), "k", []byte(v), pairdb.After(r.Context))
				require.NoError(t, err)
			})
		}
		both.Wait()
		obj, err := keys.Get(t.Context(), "k")
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"a", "b"}, values(obj))
	})
}

// Interleaving 3: e is acknowledged by n1 and n2, and the reads of the tenant ask one
// owner: n3. A clock read at that level shows nothing, and the Put that begins
// after e was acknowledged would leave e beside it (P4).
func TestAPutWithoutAContextCoversWhatWasAcknowledgedWhateverTheReadLevel(t *testing.T) {
	covered := func(t *testing.T, opts ...pairdb.Option) []string {
		tenants, err := tenant.Static(tenant.Config{ID: "t", Replicas: 3, Read: pairdb.One})
		require.NoError(t, err)
		cluster := pairdbtest.New(t, 3, pairdbtest.Tenants(tenants), pairdbtest.Zones("a", "b", "c"))
		owners := cluster.Owners("t", "k")
		behind := owners[2]
		behind.FailWrite(1, pairdbtest.BeforeApply)
		_, err = cluster.Client(t).Tenant("t").Put(t.Context(), "k", []byte("e"), pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		time.Sleep(time.Minute) // the tail ends, the connection is there again
		_, held := behind.State("t", "k")
		require.False(t, held)

		// The other client prefers the zone of the owner that is behind.
		node, ok := ptr(cluster.Topology()).Node(behind.ID())
		require.True(t, ok)
		other := cluster.Client(t, append(opts, pairdb.WithZone(node.Zone))...)
		require.NoError(t, other.Ready(t.Context()))
		synctest.Wait() // ready is two of three: the owner that is behind is to be up too
		_, err = other.Tenant("t").Put(t.Context(), "k", []byte("d"))
		require.NoError(t, err)
		obj, err := other.Tenant("t").Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		return values(obj)
	}
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, []string{"d"}, covered(t))
	})
	synctest.Test(t, func(t *testing.T) {
		require.ElementsMatch(t, []string{"d", "e"}, covered(t, pairdb.WithClockReadAtReadLevel()),
			"without the rule the case comes back")
	})
}

func ptr[T any](v T) *T { return &v }

// Interleavings 4 and 5, and a worse one: a Put without a context never goes out a second time under a
// grown context, so it cannot take back a write that was made on top of it,
// and of two that meet on different owners in different order neither can cover the other.
func TestPutsWithoutContextThatMeetEachOtherLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		one, two := cluster.Client(t).Tenant("t"), cluster.Client(t).Tenant("t")
		_, err := one.Put(t.Context(), "k", []byte("before"))
		require.NoError(t, err)
		for round := range 50 {
			// Each write reaches the owners at moments of their own, in another order for each of the two.
			for i, n := range cluster.Nodes() {
				n.Delay(time.Duration((round*7+i*13)%5) * time.Millisecond)
			}
			var both sync.WaitGroup
			for _, w := range []struct {
				keys  *pairdb.Tenant
				value string
			}{{one, "d"}, {two, "e"}} {
				both.Go(func() {
					r, err := w.keys.Put(t.Context(), "k", []byte(w.value))
					require.NoError(t, err)
					require.Equal(t, 2, r.RoundTrips)
				})
			}
			both.Wait()
			obj, err := one.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
			require.NoError(t, err)
			require.Subset(t, []string{"d", "e"}, values(obj), "round %d", round)
			require.NotEmpty(t, values(obj), "round %d", round)
		}
	})
}

// Interleaving 12: a sibling expires. It stays where it is, reads as deleted, and its
// key's other siblings are not touched, wherever it is judged first.
func TestAnExpiredSiblingStaysAndReadsAsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		keys := cluster.Client(t).Tenant("t")
		_, err := keys.Put(t.Context(), "k", []byte("stays"), pairdb.NoContext())
		require.NoError(t, err)
		_, err = keys.Put(t.Context(), "k", []byte("goes"), pairdb.NoContext(), pairdb.WithTTL(time.Minute))
		require.NoError(t, err)
		cluster.Node(0).Skew(2 * time.Minute) // thinks that it has expired already
		obj, err := keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"stays", "goes"}, values(obj))
		cluster.Node(0).Skew(0)
		time.Sleep(time.Hour)
		obj, err = keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.Equal(t, []string{"stays"}, values(obj))
		require.Len(t, obj.Siblings, 2)
		for _, n := range cluster.Nodes() {
			state, held := n.State("t", "k")
			require.True(t, held)
			require.Len(t, state.Siblings, 2, "no owner drops an expired sibling by itself")
		}
	})
}

// Interleaving 13: v is acknowledged by n1 and n2; n2's disk is replaced; n1 is
// down. The empty n2 must not make up a quorum with n3 that answers "not found".
func TestAnOwnerThatLostItsStoreCountsForNoQuorum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		client := cluster.Client(t)
		owners := cluster.Owners("t", "k")
		require.NoError(t, client.Ready(t.Context()))
		owners[2].FailWrite(1, pairdbtest.BeforeApply)
		_, err := client.Tenant("t").Put(t.Context(), "k", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		owners[1].Wipe()
		owners[0].Stop()
		time.Sleep(time.Minute)
		_, err = client.Tenant("t").Get(t.Context(), "k")
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.NotErrorIs(t, err, pairdb.ErrNotFound)
		owners[0].Start()
		time.Sleep(time.Minute)
		obj, err := client.Tenant("t").Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, []string{"v"}, values(obj))
	})
}
