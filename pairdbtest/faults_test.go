package pairdbtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/storagepb"
)

// bubble runs f with a cluster of three and a client whose connections are up, in
// virtual time.
func bubble(t *testing.T, f func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, client *pairdb.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		client := c.Client(t)
		require.NoError(t, client.Ready(t.Context()))
		synctest.Wait()
		f(t, c, client.Tenant("shop"), client)
	})
}

// holders are the nodes that hold the value of key "k", and nothing but it.
func holders(c *pairdbtest.Cluster, value string) (n int) {
	for _, node := range c.Nodes() {
		if s, ok := node.State("shop", "k"); ok && len(s.Siblings) == 1 && string(s.Siblings[0].Value) == value {
			n++
		}
	}
	return n
}

func TestACutToNodesHoldsBackRequestsUntilItHeals(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).Cut(pairdbtest.ToNode)
		c.Node(1).Cut(pairdbtest.ToNode)
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), pairdb.Timeout(time.Second))
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, holders(c, "v"))
		c.Node(0).Heal()
		synctest.Wait()
		require.Equal(t, 2, holders(c, "v"), "what was under way has arrived")
	})
}

func TestACutFromNodesLetsWritesThroughAndHoldsBackAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).Cut(pairdbtest.FromNode)
		c.Node(1).Cut(pairdbtest.FromNode)
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), pairdb.Timeout(time.Second))
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		require.Equal(t, 3, holders(c, "v"))
		c.Heal()
		got, err := shop.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "v", string(got.Value))
	})
}

func TestASilentNodeIsFoundOutAndTakenBackAfterHealing(t *testing.T) {
	for name, fault := range map[string]func(*pairdbtest.Node){
		"cut both ways": func(n *pairdbtest.Node) { n.Cut(pairdbtest.Both) },
		"cut to":        func(n *pairdbtest.Node) { n.Cut(pairdbtest.ToNode) },
		"cut from":      func(n *pairdbtest.Node) { n.Cut(pairdbtest.FromNode) },
		"frozen":        (*pairdbtest.Node).Freeze,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, client *pairdb.Client) {
				fault(c.Node(0))
				time.Sleep(20 * time.Second)
				synctest.Wait()
				require.Error(t, client.Health().Nodes[0].Err)
				_, err := shop.Put(t.Context(), "k", []byte("v"))
				require.NoError(t, err)
				c.Heal()
				time.Sleep(10 * time.Second)
				synctest.Wait()
				require.NoError(t, client.Health().Nodes[0].Err)
				_, err = shop.Put(t.Context(), "k", []byte("w"), pairdb.AtLevel(pairdb.All))
				require.NoError(t, err)
				require.Equal(t, 3, holders(c, "w"))
			})
		})
	}
}

func TestAFrozenNodeDoesNothingUntilItThaws(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).Freeze()
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 2, holders(c, "v"))
		c.Node(0).Thaw()
		synctest.Wait()
		require.Equal(t, 3, holders(c, "v"))
	})
}

func TestADelayIsAddedToEachAnswerAndCanBeEnded(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		put := func() time.Duration {
			began := time.Now()
			_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), pairdb.AtLevel(pairdb.All))
			require.NoError(t, err)
			return time.Since(began)
		}
		c.Node(0).Delay(300 * time.Millisecond)
		require.Equal(t, 300*time.Millisecond, put())
		c.Node(0).Delay(time.Second)
		go func() {
			time.Sleep(100 * time.Millisecond)
			c.Node(0).Delay(0)
		}()
		require.Equal(t, 100*time.Millisecond, put())
		require.Zero(t, put())
	})
}

func TestANodeWhoseClockIsBehindRefusesWritesOfTheFuture(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).Skew(-time.Hour)
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
		c.Node(1).Skew(-time.Hour)
		_, err = shop.Put(t.Context(), "other", []byte("v"), pairdb.NoContext())
		require.ErrorIs(t, err, pairdb.ErrClockSkew)
		c.Node(1).Skew(0)
		_, err = shop.Put(t.Context(), "other", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
	})
}

func TestAWriteWhoseAnswersAreLostIsUnknownAndStored(t *testing.T) {
	for name, fail := range map[string]func(*pairdbtest.Node, int, pairdbtest.When){
		"the connection breaks": (*pairdbtest.Node).FailWrite,
		"no answer comes":       (*pairdbtest.Node).LoseWrite,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
				fail(c.Node(0), 1, pairdbtest.AfterApply)
				fail(c.Node(1), 1, pairdbtest.AfterApply)
				_, err := shop.Put(t.Context(), "k", []byte("v"))
				require.ErrorIs(t, err, pairdb.ErrUnknown)
				synctest.Wait()
				require.Equal(t, 3, holders(c, "v"))
				for _, n := range c.Nodes() {
					require.Len(t, n.Applied(), 1)
				}
				time.Sleep(5 * time.Second)
				_, err = shop.Put(t.Context(), "k", []byte("w"), pairdb.AtLevel(pairdb.All))
				require.NoError(t, err, "the fault strikes once")
				require.Equal(t, 3, holders(c, "w"))
			})
		})
	}
}

func TestAWriteThatFailsBeforeItIsAppliedIsUnknownAndStoredByTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).FailWrite(1, pairdbtest.BeforeApply)
		c.Node(1).LoseWrite(1, pairdbtest.BeforeApply)
		_, err := shop.Put(t.Context(), "k", []byte("v"))
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		synctest.Wait()
		require.Equal(t, 1, holders(c, "v"))
		require.Empty(t, c.Node(0).Applied())
	})
}

func TestAFaultStrikesTheOperationThatItCountsTo(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		c.Node(0).RefuseOp(3, storagepb.Status_OVERLOADED)
		for i := 1; i <= 4; i++ {
			_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.NoContext(), pairdb.AtLevel(pairdb.All))
			if i == 3 {
				require.ErrorIs(t, err, pairdb.ErrOverloaded)
			} else {
				require.NoError(t, err, "operation %d", i)
			}
		}
	})
}

func TestAWriteThatAllOwnersRefuseIsNotApplied(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		for _, n := range c.Nodes() {
			n.RefuseWrite(1, storagepb.Status_OVERLOADED)
		}
		// At One it takes all refusals to fail; at Quorum two, with the third not yet known.
		_, err := shop.Put(t.Context(), "k", []byte("v"), pairdb.AtLevel(pairdb.One), pairdb.NoContext())
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.True(t, pairdb.Retryable(err))
		_, err = shop.Put(t.Context(), "k", []byte("v"))
		require.NoError(t, err)
	})
}

func TestFailingWritesLeavesReadsAlone(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		for _, n := range c.Nodes() {
			n.FailWrite(1, pairdbtest.BeforeApply)
		}
		for range 5 {
			_, err := shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
			require.ErrorIs(t, err, pairdb.ErrNotFound)
		}
		_, err := shop.Put(t.Context(), "k", []byte("v"))
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		synctest.Wait()
		require.Zero(t, holders(c, "v"))
	})
}

func TestAHeldWriteIsAppliedWhenItIsReleased(t *testing.T) {
	bubble(t, func(t *testing.T, c *pairdbtest.Cluster, shop *pairdb.Tenant, _ *pairdb.Client) {
		before := c.Node(0).HoldWrite(1, pairdbtest.BeforeApply)
		after := c.Node(1).HoldWrite(1, pairdbtest.AfterApply)
		done := make(chan error)
		go func() {
			_, err := shop.Put(t.Context(), "k", []byte("v"))
			done <- err
		}()
		<-before.Reached()
		<-after.Reached()
		synctest.Wait()
		require.Equal(t, 2, holders(c, "v"))
		require.Empty(t, done)
		after.Release()
		require.NoError(t, <-done)
		require.Equal(t, 2, holders(c, "v"))
		c.Heal()
		synctest.Wait()
		require.Equal(t, 3, holders(c, "v"), "healing releases what is held")
	})
}

func TestDiallingACutNodeWaitsForTheContextAndAStoppedOneRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 1)
		n := c.Node(0)
		n.Cut(pairdbtest.FromNode)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := c.Dial(ctx, n.Addr())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		n.Heal()
		n.Stop()
		_, err = c.Dial(t.Context(), n.Addr())
		require.Error(t, err)
		_, err = c.Dial(t.Context(), "elsewhere:1")
		require.Error(t, err)
	})
}
