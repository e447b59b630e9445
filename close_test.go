package pairdb_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/topology"
)

func TestCloseWaitsForTheTailsOfWrites(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Delay(3 * time.Second)
		w.put("k", "v", pairdb.NoContext())
		began := time.Now()
		require.NoError(t, w.client.Close(soon(t)))
		require.Equal(t, 3*time.Second, time.Since(began))
		require.Equal(t, 3, w.holders("k", "v"))
		require.Zero(t, w.client.Stats().InFlight)
	})
}

func TestCloseWaitsForCallsThatRunAndRefusesOthersMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		var running, closing error
		var all sync.WaitGroup
		all.Go(func() { running = put("k", nil, pairdb.NoContext())(t.Context(), w) })
		synctest.Wait()
		all.Go(func() { closing = w.client.Close(soon(t)) })
		synctest.Wait()
		require.ErrorIs(t, get("k")(t.Context(), w), pairdb.ErrClosed)
		w.Heal()
		all.Wait()
		require.NoError(t, running)
		require.NoError(t, closing)
	})
}

func TestCloseCutsWhatIsUnfinishedWhenItsContextEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		running := make(chan error, 1)
		go func() { running <- put("k", nil, pairdb.NoContext(), pairdb.Timeout(time.Hour))(t.Context(), w) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		err := w.client.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "unfinished")
		require.Less(t, time.Since(began), 2*time.Second)
		cut := <-running
		requireOneOutcome(t, cut, pairdb.ErrUnknown)
		synctest.Wait()
		require.Zero(t, w.client.Stats().InFlight)
	})
}

func TestClosingAgainWaitsForTheFirstClose(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Delay(time.Second)
		w.put("k", "v", pairdb.NoContext())
		var all sync.WaitGroup
		began := time.Now()
		for range 3 {
			all.Go(func() {
				require.NoError(t, w.client.Close(soon(t)))
				require.Equal(t, time.Second, time.Since(began))
			})
		}
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, w.client.Close(ended), context.Canceled)
		all.Wait()
		require.NoError(t, w.client.Close(ended), "closed is closed")
	})
}

func TestAClientOpenedWithAContextThatEndsGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		ctx, cancel := context.WithCancel(t.Context())
		client, err := c.Open(ctx)
		require.NoError(t, err)
		cancel()
		require.NoError(t, client.Ready(soon(t)))
		require.NoError(t, c.SetTopology(func(topo *topology.Topology) { topo.Nodes[0].State = topology.Draining }))
		synctest.Wait()
		require.EqualValues(t, 2, client.Topology().Epoch)
	})
}

// flipping is a source that moves a node to another address with every epoch.
type flipping struct{ *pairdbtest.Cluster }

func (f flipping) Watch(ctx context.Context, after uint64) (*topology.Topology, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	topo := f.Topology()
	topo.Epoch = after + 1
	if topo.Epoch%2 == 0 {
		topo.Nodes[0].Addr = "elsewhere:7400"
	}
	return &topo, nil
}

func TestCloseLeavesNoConnectionOfATopologyThatComesMeanwhile(t *testing.T) {
	c := pairdbtest.New(t, 3)
	for range 50 {
		client, err := pairdb.Open(t.Context(), flipping{c}, pairdb.WithDialer(c.Dial))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		_ = client.Close(ctx)
		cancel()
	} // TestMain looks for goroutines
}
