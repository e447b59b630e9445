package pairdb_test

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/replica"
)

func TestOpenContactsNobodyAndReadyWaitsForQuorums(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		for _, n := range c.Nodes() {
			n.Stop()
		}
		client := c.Client(t)
		synctest.Wait()
		require.False(t, client.Health().Ready())
		ready := make(chan error, 1)
		go func() { ready <- client.Ready(soon(t)) }()
		time.Sleep(time.Minute)
		c.Node(0).Start()
		time.Sleep(time.Minute)
		require.Empty(t, ready, "one of three is no quorum")
		c.Node(1).Start()
		require.NoError(t, <-ready, "one dead node of three does not make a service unready")
	})
}

func TestReadyIsJudgedByTheClientsLevels(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Stop()
		synctest.Wait()
		h := w.client.Health()
		require.False(t, h.Ready())
		require.Equal(t, h.Partitions, h.BelowQuorum)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.client.Ready(ctx), pairdb.ErrUnavailable)
	}, pairdb.WithLevels(pairdb.Levels{Write: pairdb.All}))
}

func TestReadyEndsWhenTheClientCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 1)
		c.Node(0).Stop()
		client := c.Client(t)
		ready := make(chan error, 1)
		go func() { ready <- client.Ready(soon(t)) }()
		synctest.Wait()
		require.NoError(t, client.Close(soon(t)))
		require.ErrorIs(t, <-ready, pairdb.ErrClosed)
	})
}

func TestHealthTellsOfEachNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3, pairdbtest.Zones("east", "west"))
		c.Node(1).Skew(30 * time.Second)
		w := newWorld(t, c)
		time.Sleep(time.Minute)
		c.Node(2).Stop()
		synctest.Wait()
		h := w.client.Health()
		require.Equal(t, pairdbtest.ClusterName, h.Cluster)
		require.EqualValues(t, 1, h.Epoch)
		require.Equal(t, time.Minute, h.TopologyAge.Round(time.Second))
		require.Equal(t, 64, h.Partitions)
		require.Zero(t, h.BelowQuorum)
		require.Len(t, h.Nodes, 3)
		up, skewed, down := h.Nodes[0], h.Nodes[1], h.Nodes[2]
		require.Equal(t, "n1", string(up.Node))
		require.Equal(t, "n1:7400", up.Addr)
		require.Equal(t, "east", up.Zone)
		require.Equal(t, replica.Up, up.State)
		require.NoError(t, up.Err)
		require.Equal(t, c.Node(0).StoreID(), up.StoreID)
		require.False(t, up.NotDurable)
		require.Zero(t, up.ClockOffset.Round(time.Second))
		require.Equal(t, 30*time.Second, skewed.ClockOffset.Round(time.Second))
		require.Equal(t, replica.Down, down.State)
		require.ErrorIs(t, down.Err, replica.ErrDown)
		require.False(t, down.NotDurable, "not known")
	})
}

func TestStatsCountCallsByOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		w.put("k", "w", pairdb.NoContext())
		w.get("k")
		require.ErrorIs(t, get("absent")(t.Context(), w), pairdb.ErrNotFound)
		require.Error(t, put("", nil)(t.Context(), w))
		_, err := w.shop.Delete(t.Context(), "k")
		require.NoError(t, err)
		synctest.Wait() // else the update may find its owners apart, and repair them
		require.NoError(t, update("k")(t.Context(), w))
		synctest.Wait()
		s := w.client.Stats()
		require.Equal(t, []uint64{2, 3, 1, 1}, []uint64{s.Gets, s.Puts, s.Deletes, s.Updates})
		require.Equal(t, []uint64{1, 1, 1, 0}, []uint64{s.NotFound, s.Failed, s.NotApplied, s.Unknown})
		require.Equal(t, []uint64{1, 0, 0, 0}, []uint64{s.Conflicts, s.Repairs, s.RepairsFailed, s.Missed})
		require.Zero(t, s.InFlight)
		require.Equal(t, 1, s.KeysMinted)
		require.Zero(t, s.Generations)
		require.Len(t, s.Nodes, 3)
		for _, n := range s.Nodes {
			require.Equal(t, n.Sent, n.Answered)
			require.Zero(t, n.Broken)
			require.Zero(t, n.Reconnects)
			require.NotZero(t, n.BytesOut)
		}
	})
}

func TestForgettingKeysCostsGenerationsAndNoValue(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for round := range 3 {
			for _, key := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
				w.put(key, strconv.Itoa(round))
				require.Equal(t, 3, w.holders(key, strconv.Itoa(round)))
			}
		}
		s := w.client.Stats()
		require.LessOrEqual(t, s.KeysMinted, 16)
		require.NotZero(t, s.Generations)
	}, pairdb.WithLimits(pairdb.Limits{KeyMemory: 16}))
}

func TestEachHookIsCalledWithWhatHappened(t *testing.T) {
	seen := &recorder{}
	inBubble(t, func(t *testing.T, w *world) {
		require.Len(t, recorded[pairdb.NodeState](seen), 3)
		require.Len(t, recorded[pairdb.TopologyChange](seen), 1)
		w.Plant("shop", "k", "a", "b")
		w.get("k")
		require.Equal(t, []pairdb.Conflict{{Tenant: "shop", Key: "k", Siblings: 2}}, recorded[pairdb.Conflict](seen))
		require.Equal(t, []pairdb.RequestStart{{Op: "get", Tenant: "shop", Key: "k"}}, recorded[pairdb.RequestStart](seen))
		time.Sleep(time.Second)
		w.Node(0).Delay(time.Second)
		w.put("k", "v", pairdb.AtLevel(pairdb.All))
		err := put("", nil)(t.Context(), w)
		spans := recorded[span](seen)
		require.Len(t, spans, 3)
		put := spans[1]
		require.Equal(t, "k", put.started, "the context of the start")
		require.Equal(t, pairdb.RequestEnd{
			Op: "put", Tenant: "shop", Key: "k", Level: pairdb.All, Elapsed: put.Elapsed, RoundTrips: 2,
		}, put.RequestEnd)
		require.GreaterOrEqual(t, put.Elapsed, time.Second)
		require.Equal(t, err, spans[2].Err)
		w.Node(2).Stop()
		synctest.Wait()
		last := recorded[pairdb.NodeState](seen)[3]
		require.Equal(t, "n3", string(last.Node))
		require.Equal(t, replica.Down, last.Health.State)
	}, pairdb.WithHooks(seen))
}

// A notebook is a writer for slog that may be read meanwhile.
type notebook struct {
	mu    sync.Mutex
	lines bytes.Buffer // guarded by mu
}

func (n *notebook) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lines.Write(b)
}

func (n *notebook) count(what string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Count(n.lines.String(), what)
}

func TestTheLoggerHearsOfNodesAndTopologiesOnce(t *testing.T) {
	log := &notebook{}
	inBubble(t, func(t *testing.T, w *world) {
		require.Equal(t, 1, log.count("topology in force"))
		require.Equal(t, 3, log.count("node up"))
		w.Node(0).Stop()
		time.Sleep(time.Minute)
		require.Equal(t, 1, log.count("level=WARN"))
		require.Equal(t, 1, log.count(`msg="node down" node=n1 addr=n1:7400`))
		w.Node(0).Wipe()
		w.Node(0).Start()
		time.Sleep(time.Minute)
		require.Equal(t, 1, log.count("came back with another store"))
		w.FailTopology(errAway)
		synctest.Wait()
		require.NotZero(t, log.count("topology source failed"))
	}, pairdb.WithLogger(slog.New(slog.NewTextHandler(log, nil))))
}

func TestHealthTellsByWhichTransportANodeIsSpokenTo(t *testing.T) {
	for want, opts := range map[string][]pairdb.Option{"frames": nil, "grpc": {pairdb.WithGRPC()}} {
		inBubble(t, func(t *testing.T, w *world) {
			for _, n := range w.client.Health().Nodes {
				require.Equal(t, want, n.Transport)
			}
			w.put("k", "v")
			require.Equal(t, "v", string(w.get("k").Value))
		}, opts...)
	}
}
