//go:build unix

package faulttest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

// Indices of nodes.
const (
	n1 = iota
	n2
	n3
)

// down and amnesiac are what a client is to see of a node; other nodes do not matter.
func down(node int) func([]pairdb.NodeHealth) bool {
	return func(nodes []pairdb.NodeHealth) bool { return nodes[node].State == replica.Down }
}

func up(node int, amnesiac bool) func([]pairdb.NodeHealth) bool {
	return func(nodes []pairdb.NodeHealth) bool {
		return nodes[node].State == replica.Up && nodes[node].Amnesiac == amnesiac
	}
}

func fill(t *testing.T, tenant *pairdb.Tenant, keys []string) {
	t.Helper()
	for _, key := range keys {
		_, err := tenant.Put(t.Context(), key, []byte(key), pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
	}
}

func requireFilled(t *testing.T, tenant *pairdb.Tenant, keys []string, level pairdb.Level) {
	t.Helper()
	for _, key := range keys {
		obj, err := tenant.Get(t.Context(), key, pairdb.AtLevel(level))
		require.NoError(t, err)
		require.Equal(t, key, string(obj.Value))
	}
}

// replaceDisk kills a node, removes its store, and starts it.
func (c *cluster) replaceDisk(t *testing.T, node int) {
	t.Helper()
	c.nodes[node].kill()
	require.NoError(t, c.nodes[node].wipe())
	require.NoError(t, c.nodes[node].start(t.Context()))
}

func TestANodeWhoseDiskWasReplacedCountsForNoQuorumUntilItsStoreIsAccepted(t *testing.T) {
	c := start(t, 3, 1, false)
	co := c.coords[0]
	client := co.client.Load()
	tenant := client.Tenant(tenantID)
	keys := keyNames("key", 20)
	require.NoError(t, co.allUp(t.Context()))
	fill(t, tenant, keys)

	c.replaceDisk(t, n2)
	require.NoError(t, co.await(t.Context(), up(n2, true)))
	require.NoError(t, client.Ready(t.Context()), "two of three are enough")
	requireFilled(t, tenant, keys, pairdb.Quorum)
	for i := range 5 {
		key := fmt.Sprintf("later-%d", i)
		_, err := tenant.Put(t.Context(), key, []byte(key))
		require.NoError(t, err)
		keys = append(keys, key)
	}
	requireFilled(t, tenant, keys, pairdb.Quorum)
	_, err := tenant.Get(t.Context(), keys[0], pairdb.AtLevel(pairdb.All))
	require.ErrorIs(t, err, pairdb.ErrUnavailable)
	_, err = tenant.Put(t.Context(), "needs all", nil, pairdb.AtLevel(pairdb.All))
	require.ErrorIs(t, err, pairdb.ErrUnavailable)

	accepted := co.topo
	accepted.Epoch = 2
	accepted.Nodes = append([]topology.Node(nil), co.topo.Nodes...)
	accepted.Nodes[n2].StoreID = client.Health().Nodes[n2].StoreID
	require.NoError(t, co.source.Set(accepted))
	require.NoError(t, co.allUp(t.Context()))
	requireFilled(t, tenant, keys, pairdb.All)
}

// Interleaving 13: an owner with an empty disk and one that missed the write are no read quorum.
func TestAnEmptyOwnerDoesNotHideWhatItAcknowledgedBeforeItLostItsDisk(t *testing.T) {
	c := start(t, 3, 1, false)
	co := c.coords[0]
	require.NoError(t, co.allUp(t.Context()))
	tenant := co.client.Load().Tenant(tenantID)
	stores := co.client.Load().Health().Nodes

	co.links[n3].set(cut{refuse: true})
	require.NoError(t, co.await(t.Context(), down(n3)))
	_, err := tenant.Put(t.Context(), "k", []byte("v"))
	require.NoError(t, err, "n1 and n2 acknowledge")

	c.replaceDisk(t, n2)
	co.links[n3].set(cut{})
	co.links[n1].set(cut{refuse: true})
	require.NoError(t, co.await(t.Context(), down(n1)))
	require.NoError(t, co.await(t.Context(), up(n2, true)))
	require.NoError(t, co.await(t.Context(), up(n3, false)))
	_, err = tenant.Get(t.Context(), "k")
	require.ErrorIs(t, err, pairdb.ErrUnavailable)
	require.NotErrorIs(t, err, pairdb.ErrNotFound)
	_, err = tenant.Put(t.Context(), "k", []byte("w"), pairdb.NoContext())
	require.ErrorIs(t, err, pairdb.ErrNotApplied)
	require.ErrorIs(t, err, pairdb.ErrUnavailable)

	// A client that was opened afterwards knows it too, if its topology names the stores.
	late := c.addCoordinator()
	named := late.topo
	named.Epoch = 2
	named.Nodes = append([]topology.Node(nil), late.topo.Nodes...)
	for i := range named.Nodes {
		named.Nodes[i].StoreID = stores[i].StoreID
	}
	require.NoError(t, late.source.Set(named))
	require.NoError(t, late.close(closeLimit))
	require.NoError(t, late.open(t.Context()))
	late.links[n1].set(cut{refuse: true})
	require.NoError(t, late.await(t.Context(), down(n1)))
	require.NoError(t, late.await(t.Context(), up(n2, true)))
	require.NoError(t, late.await(t.Context(), up(n3, false)))
	_, err = late.client.Load().Tenant(tenantID).Get(t.Context(), "k")
	require.ErrorIs(t, err, pairdb.ErrUnavailable)
	require.NotErrorIs(t, err, pairdb.ErrNotFound)

	co.links[n1].set(cut{})
	require.NoError(t, co.await(t.Context(), up(n1, false)))
	obj, err := tenant.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "v", string(obj.Value))
}

func TestNodesWithFullDisksRefuseWritesAndServeReads(t *testing.T) {
	c := start(t, 3, 1, false)
	co := c.coords[0]
	tenant := co.client.Load().Tenant(tenantID)
	keys := keyNames("key", 20)
	require.NoError(t, co.allUp(t.Context()))
	fill(t, tenant, keys)

	// No disk has so much free space.
	full := []string{"--reserve-mib", "1099511627776"}
	c.restartWith(t, n2, full)
	require.NoError(t, co.allUp(t.Context()))
	_, err := tenant.Put(t.Context(), "one full disk", []byte("x"))
	require.NoError(t, err)
	_, err = tenant.Put(t.Context(), "one full disk, all asked", nil, pairdb.AtLevel(pairdb.All))
	require.ErrorIs(t, err, pairdb.ErrUnknown, "two owners stored it")
	requireFilled(t, tenant, keys, pairdb.All)

	c.restartWith(t, n3, full)
	require.NoError(t, co.allUp(t.Context()))
	_, err = tenant.Put(t.Context(), keys[0], []byte("not enough"))
	require.ErrorIs(t, err, pairdb.ErrUnavailable)
	require.ErrorIs(t, err, pairdb.ErrUnknown, "n1 may have stored it")
	t.Log(err)
	requireFilled(t, tenant, keys[1:], pairdb.All)

	c.restartWith(t, n2, nil)
	c.restartWith(t, n3, nil)
	require.NoError(t, co.allUp(t.Context()))
	keys = append(keys[1:], "space again")
	fill(t, tenant, keys[len(keys)-1:])
	requireFilled(t, tenant, keys, pairdb.All)
}

// restartWith stops a node in good order and starts it with further flags.
func (c *cluster) restartWith(t *testing.T, node int, flags []string) {
	t.Helper()
	p := c.nodes[node]
	require.NoError(t, p.stop())
	require.NoError(t, c.coords[0].await(t.Context(), down(node)))
	p.flags = flags
	require.NoError(t, p.start(t.Context()))
}
