package pairdbtest_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

func TestANodeThatWasStoppedIsRefusedAtOnceAndComesBackWithItsStore(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, client *pairdb.Client) {
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		store := c.Node(0).StoreID()
		began := time.Now()
		c.Node(0).Stop()
		require.False(t, c.Node(0).Running())
		synctest.Wait()
		_, err = shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.Zero(t, time.Since(began))
		_, err = shop.Put(t.Context(), "k", []byte("w"))
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 2, holders(c, "w"))
		require.Equal(t, 1, holders(c, "v"), "a stopped node can be looked into")

		c.Node(0).Start()
		require.Equal(t, store, c.Node(0).StoreID())
		require.Eventually(t, func() bool {
			got, err := shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
			return err == nil && string(got.Value) == "w"
		}, time.Minute, time.Second)
		synctest.Wait()
		require.Equal(t, 3, holders(c, "w"), "read repair has brought it")
		require.True(t, client.Health().Ready())
	})
}

func TestANodeThatShutsDownEndsWhatItHasInHandAndRefusesMore(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(1).Delay(time.Second)
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		began := time.Now()
		stopped := make(chan struct{})
		go func() {
			c.Node(1).Shutdown()
			close(stopped)
		}()
		synctest.Wait()
		_, err = shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.Zero(t, time.Since(began), "refused at once")
		<-stopped
		require.GreaterOrEqual(t, time.Since(began), time.Second)
		require.False(t, c.Node(1).Running())
		_, err = shop.Get(t.Context(), "k")
		require.NoError(t, err)
	})
}

func TestAWipedNodeIsEmptyAndAmnesiacUntilTheTopologyAcceptsIt(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, client *pairdb.Client) {
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		n, store := c.Node(2), c.Node(2).StoreID()
		n.Wipe()
		require.True(t, n.Running())
		require.NotEqual(t, store, n.StoreID())
		require.Zero(t, n.Len())
		time.Sleep(10 * time.Second)
		require.True(t, client.Health().Nodes[2].Amnesiac)
		_, err = shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.ErrorIs(t, err, pairdb.ErrUnavailable)

		top := c.Topology()
		require.Equal(t, uint64(1), top.Epoch)
		require.NoError(t, c.SetTopology(acceptStore(2, n.StoreID())))
		synctest.Wait()
		require.False(t, client.Health().Nodes[2].Amnesiac)
		got, err := shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.Equal(t, "v", string(got.Value))
	})
}

func TestWipingAStoppedNodeLeavesItStopped(t *testing.T) {
	c := pairdbtest.New(t, 1)
	c.PlantState("shop", "k", pairdb.Causal, someState(), c.Node(0))
	require.Equal(t, 1, c.Node(0).Len())
	c.Node(0).Stop()
	c.Node(0).Wipe()
	require.False(t, c.Node(0).Running())
	require.Zero(t, c.Node(0).StoreID())
	_, found := c.Node(0).State("shop", "k")
	require.False(t, found)
	c.Node(0).Start()
	require.NotZero(t, c.Node(0).StoreID())
}

func TestAFrozenNodeCanBeStopped(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).Freeze()
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		c.Node(0).Stop()
		synctest.Wait()
		require.Equal(t, 2, holders(c, "v"), "what a killed process had not begun it never does")
	})
}

func TestAFrozenNodeCanBeStoppedWhileAClientConnects(t *testing.T) {
	for name, stop := range map[string]func(*pairdbtest.Node){
		"killed":        (*pairdbtest.Node).Stop,
		"in good order": (*pairdbtest.Node).Shutdown,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := pairdbtest.New(t, 1)
				c.Node(0).Freeze()
				c.Client(t)
				synctest.Wait()
				began := time.Now()
				stop(c.Node(0))
				require.LessOrEqual(t, time.Since(began), 6*time.Second)
			})
		})
	}
}

func TestAClusterHealsAfterFaultsFromManyGoroutinesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, client *pairdb.Client) {
		var all sync.WaitGroup
		again := func(f func(*pairdbtest.Node)) {
			all.Go(func() {
				for i := range 40 {
					f(c.Node(i % 3))
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		again((*pairdbtest.Node).Stop)
		again((*pairdbtest.Node).Start)
		again((*pairdbtest.Node).Shutdown)
		again((*pairdbtest.Node).Freeze)
		again((*pairdbtest.Node).Thaw)
		again(func(n *pairdbtest.Node) { n.Cut(pairdbtest.Both) })
		again((*pairdbtest.Node).Heal)
		again(func(n *pairdbtest.Node) { n.FailOp(2, pairdbtest.AfterApply) })
		again(func(n *pairdbtest.Node) { n.HoldOp(1, pairdbtest.BeforeApply) })
		again(func(n *pairdbtest.Node) { n.State("shop", "k") })
		again(func(*pairdbtest.Node) { c.Plant("shop", "planted", "v") })
		again(func(*pairdbtest.Node) { _, _ = shop.Put(t.Context(), "k", []byte("v")) })
		all.Wait()
		c.Heal()
		time.Sleep(30 * time.Second)
		require.NoError(t, client.Ready(t.Context()))
		_, err := shop.Put(t.Context(), "k", []byte("w"), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.Equal(t, 3, holders(c, "w"))
	})
}

func TestANodeThatShutsDownInGoodOrderFailsNoRequest(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(1).Delay(time.Second)
		done := make(chan error)
		go func() {
			_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), pairdb.AtLevel(pairdb.All))
			done <- err
		}()
		synctest.Wait()
		c.Node(1).Shutdown()
		require.NoError(t, <-done)
		require.False(t, c.Node(1).Running())
		_, err := shop.Get(t.Context(), "k")
		require.NoError(t, err)
	})
}
