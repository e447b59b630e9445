package pairdb_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/topology"
)

// v is acknowledged by two of three. One of the two is started elsewhere, with an
// empty disk: another address must not make the client forget which store it had.
func TestANodeThatMovesAndComesBackEmptyIsNotTrusted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		w := newWorld(t, cluster, pairdb.WithDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			return cluster.Dial(ctx, strings.TrimPrefix(addr, "moved-"))
		}))
		owners := w.Owners("shop", "k")
		owners[1].Stop()
		synctest.Wait()
		w.put("k", "v", pairdb.NoContext())
		owners[1].Start()
		time.Sleep(10 * time.Second)

		owners[0].Wipe()
		require.NoError(t, cluster.SetTopology(func(topo *topology.Topology) {
			for i := range topo.Nodes {
				if topo.Nodes[i].ID == owners[0].ID() {
					topo.Nodes[i].Addr = "moved-" + topo.Nodes[i].Addr
				}
			}
		}))
		time.Sleep(10 * time.Second)
		obj, err := w.shop.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "v", string(obj.Value))
		amnesiacs := 0
		for _, n := range w.client.Health().Nodes {
			if n.Amnesiac {
				amnesiacs++
			}
		}
		require.Equal(t, 1, amnesiacs)
	})
}

// stuckSource answers every question with the same topology.
type stuckSource struct{ first, then *topology.Topology }

func (s stuckSource) Watch(_ context.Context, after uint64) (*topology.Topology, error) {
	if after == 0 {
		return s.first, nil
	}
	return s.then, nil
}

func TestASourceThatRepeatsItselfIsNotAskedWithoutPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		first := cluster.Topology()
		first.Epoch = 5
		older := cluster.Topology()
		for _, then := range []*topology.Topology{&older, nil} {
			client, err := pairdb.Open(t.Context(), stuckSource{&first, then}, pairdb.WithDialer(cluster.Dial))
			require.NoError(t, err)
			time.Sleep(10 * time.Second)
			require.LessOrEqual(t, client.Stats().TopologyErrors, uint64(10))
			require.EqualValues(t, 5, client.Topology().Epoch)
			require.NoError(t, client.Close(t.Context()))
		}
	})
}
