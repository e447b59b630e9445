package pairdb_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/topology"
)

func TestANodeThatMovesToAnotherAddressIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		var moved atomic.Int64
		dial := func(ctx context.Context, addr string) (net.Conn, error) {
			if addr == "moved:7400" {
				moved.Add(1)
				addr = "n1:7400"
			}
			return c.Dial(ctx, addr)
		}
		w := newWorld(t, c, pairdb.WithDialer(dial))
		w.put("k", "v")
		require.NoError(t, c.SetTopology(func(topo *topology.Topology) { topo.Nodes[0].Addr = "moved:7400" }))
		synctest.Wait()
		require.EqualValues(t, 2, moved.Load(), "one connection per lane")
		require.EqualValues(t, 2, w.client.Topology().Epoch)
		require.Equal(t, "moved:7400", w.client.Health().Nodes[0].Addr)
		require.Equal(t, 3, w.put("k", "w", pairdb.AtLevel(pairdb.All)).Acked)
		require.Equal(t, 3, w.holders("k", "w"))
		time.Sleep(time.Minute) // the connection to the former address ends
		require.Zero(t, w.client.Stats().InFlight)
	})
}

func TestATailThatBeganBeforeANodeMovedEndsOnTheFormerConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		dial := func(ctx context.Context, addr string) (net.Conn, error) {
			if addr == "moved:7400" {
				addr = "n1:7400"
			}
			return c.Dial(ctx, addr)
		}
		w := newWorld(t, c, pairdb.WithDialer(dial))
		c.Node(0).Delay(5 * time.Second)
		w.put("k", "v", pairdb.NoContext())
		require.NoError(t, c.SetTopology(func(topo *topology.Topology) { topo.Nodes[0].Addr = "moved:7400" }))
		time.Sleep(time.Minute)
		require.Zero(t, w.client.Stats().Missed)
	})
}

func TestATopologyThatWouldMoveDataIsRefusedAndTheOneInForceStays(t *testing.T) {
	seen := &recorder{}
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		require.NoError(t, w.SetTopology(func(topo *topology.Topology) {
			topo.Nodes = append(topo.Nodes, topology.Node{ID: "n4", Addr: "n4:7400"})
		}))
		synctest.Wait()
		require.EqualValues(t, 1, w.client.Topology().Epoch)
		require.EqualValues(t, 1, w.client.Stats().TopologyErrors)
		changes := recorded[pairdb.TopologyChange](seen)
		require.Len(t, changes, 2)
		require.NoError(t, changes[0].Err)
		require.ErrorContains(t, changes[1].Err, "would move")
		require.Len(t, changes[1].Topology.Nodes, 4)
		require.Equal(t, "v", string(w.get("k").Value))

		require.NoError(t, w.SetTopology(func(topo *topology.Topology) { topo.Nodes = topo.Nodes[:3] }))
		synctest.Wait()
		require.EqualValues(t, 3, w.client.Topology().Epoch, "a later one may follow")
	}, pairdb.WithHooks(seen))
}

// With as many owners as nodes nothing ever moves; tenants with fewer owners are not to be forgotten.
func TestATopologyThatWouldMoveTheDataOfSomeReplicationFactorIsRefused(t *testing.T) {
	for name, change := range map[string]func(*topology.Topology){
		"a weight":       func(topo *topology.Topology) { topo.Nodes[0].Weight = 3 },
		"a node is gone": func(topo *topology.Topology) { topo.Nodes = topo.Nodes[:4] },
		"zones": func(topo *topology.Topology) {
			for i := range topo.Nodes {
				topo.Nodes[i].Zone = string("aaabb"[i])
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := pairdbtest.New(t, 5)
				client := cluster.Client(t)
				require.NoError(t, cluster.SetTopology(change))
				synctest.Wait()
				require.EqualValues(t, 1, client.Topology().Epoch)
				require.EqualValues(t, 1, client.Stats().TopologyErrors)
			})
		})
	}
}

func TestASourceThatFailsIsReportedAndAskedAgain(t *testing.T) {
	seen := &recorder{}
	broken := errors.New("registry is away")
	inBubble(t, func(t *testing.T, w *world) {
		w.FailTopology(broken)
		time.Sleep(time.Minute)
		w.put("k", "v")
		failures := recorded[pairdb.TopologyChange](seen)[1:]
		require.NotEmpty(t, failures)
		require.Less(t, len(failures), 20, "at a growing pace")
		require.ErrorIs(t, failures[0].Err, broken)
		require.Nil(t, failures[0].Topology)
		require.EqualValues(t, len(failures), w.client.Stats().TopologyErrors)
		require.NoError(t, w.SetTopology(func(*topology.Topology) {}))
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 2, w.client.Topology().Epoch)
	}, pairdb.WithHooks(seen))
}

func TestOpenWaitsForASourceThatFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		source := &failing{Cluster: c, left: 3}
		client, err := pairdb.Open(t.Context(), source, pairdb.WithDialer(c.Dial))
		require.NoError(t, err)
		require.NoError(t, client.Close(soon(t)))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = pairdb.Open(ctx, &failing{Cluster: c, left: 1000})
		require.ErrorIs(t, err, errAway)
		require.EqualError(t, err, "pairdb: open: topology: away")
	})
}

var errAway = errors.New("away")

// failing is a source that fails a few times.
type failing struct {
	*pairdbtest.Cluster
	left int
}

func (f *failing) Watch(ctx context.Context, after uint64) (*topology.Topology, error) {
	if f.left--; f.left >= 0 {
		return nil, errAway
	}
	return f.Source().Watch(ctx, after)
}

func TestOpenRefusesATopologyThatIsInvalid(t *testing.T) {
	_, err := pairdb.Open(t.Context(), topology.Addrs("shop", "n1=here"))
	require.ErrorIs(t, err, topology.ErrInvalid)
	_, err = pairdb.Open(t.Context(), nil)
	require.ErrorIs(t, err, pairdb.ErrInvalid)
}

func TestReadsPreferOwnersThatAreNotDraining(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		require.NoError(t, w.SetTopology(func(topo *topology.Topology) { topo.Nodes[2].State = topology.Draining }))
		synctest.Wait()
		before := w.client.Stats().Nodes[2].Sent
		for range 20 {
			w.get("k")
		}
		require.Equal(t, before, w.client.Stats().Nodes[2].Sent)
		w.put("k", "w")
		require.Equal(t, 3, w.holders("k", "w"), "writes go to all")
	})
}

func TestReadsPreferOwnersInTheClientsZone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3, pairdbtest.Zones("east", "west", "south"))
		for i, zone := range []string{"east", "west", "south"} {
			w := newWorld(t, c, pairdb.WithZone(zone))
			for range 20 {
				_, _ = w.shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.One))
			}
			require.EqualValues(t, 20, w.client.Stats().Nodes[i].Sent)
		}
	})
}
