package pairdb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
)

// inLastWriteWins is inBubble with a tenant "shop" of that policy.
func inLastWriteWins(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	tenants, err := tenant.Static(tenant.Config{ID: "shop", Policy: pairdb.LastWriteWins})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(t, pairdbtest.New(t, 3, pairdbtest.Tenants(tenants)))) })
}

// off is a client whose clock is off by d.
func (w *world) off(d time.Duration) *pairdb.Tenant {
	now := func() time.Time { return time.Now().Add(d) }
	return w.Client(w.t, pairdb.WithClock(now)).Tenant("shop")
}

func TestInALastWriteWinsTenantTheLaterWriteStands(t *testing.T) {
	inLastWriteWins(t, func(t *testing.T, w *world) {
		for _, v := range []string{"a", "b", "c"} {
			r := w.put("k", v)
			require.Equal(t, 1, r.RoundTrips)
			require.False(t, r.Superseded)
			require.True(t, r.Context.IsZero())
		}
		require.Equal(t, 3, w.holders("k", "c"))
		_, err := w.shop.Delete(t.Context(), "k")
		require.NoError(t, err)
		require.Empty(t, w.values("k"))
		require.NoError(t, update("k")(t.Context(), w))
		require.Equal(t, []string{"v"}, w.values("k"))
	})
}

func TestALastWriteWinsWriterWhoseClockIsBehindMovesItAndWritesOnceMore(t *testing.T) {
	inLastWriteWins(t, func(t *testing.T, w *world) {
		w.put("k", "first")
		r, err := w.off(-30*time.Second).Put(t.Context(), "k", []byte("second"), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.Equal(t, 2, r.RoundTrips)
		require.False(t, r.Superseded)
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "second"))
		w.put("k", "third")
		require.Equal(t, 3, w.holders("k", "third"), "clocks have met")
	})
}

func TestALastWriteWinsWriteThatStillLosesIsASuccessMarkedSuperseded(t *testing.T) {
	inLastWriteWins(t, func(t *testing.T, w *world) {
		_, err := w.off(50*time.Second).Put(t.Context(), "k", []byte("ahead"), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		// The stamp is further ahead of this clock than it may be pulled.
		r, err := w.off(-20*time.Second).Put(t.Context(), "k", []byte("behind"), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.True(t, r.Superseded)
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "ahead"))
	})
}
