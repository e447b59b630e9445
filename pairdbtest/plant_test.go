package pairdbtest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/vclock"
)

func acceptStore(i int, id uint64) func(*topology.Topology) {
	return func(t *topology.Topology) { t.Nodes[i].StoreID = id }
}

func someState() vclock.State {
	dot := vclock.Dot{Actor: 1 << 20, Stamp: vclock.StampAt(time.Now())}
	return vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: []byte("v")})
}

func TestPlantedValuesAreConcurrentAndOldestFirst(t *testing.T) {
	c := pairdbtest.New(t, 3)
	shop := c.Client(t).Tenant("shop")
	_, err := shop.Put(t.Context(), "cart", []byte("z"), pairdb.AtLevel(pairdb.All))
	require.NoError(t, err)
	c.Plant("shop", "cart", "a", "b")

	join := func(_ string, live []pairdb.Sibling) ([]byte, error) {
		var all []string
		for _, s := range live {
			all = append(all, string(s.Value))
		}
		return []byte(strings.Join(all, " ")), nil
	}
	got, err := shop.Get(t.Context(), "cart", pairdb.ResolveWith(join))
	require.NoError(t, err)
	require.True(t, got.Conflict())
	require.Len(t, got.Siblings, 3)
	require.Less(t, strings.Index(string(got.Value), "a"), strings.Index(string(got.Value), "b"))

	_, err = shop.Put(t.Context(), "cart", got.Value, pairdb.After(got.Context))
	require.NoError(t, err)
	got, err = shop.Get(t.Context(), "cart")
	require.NoError(t, err)
	require.False(t, got.Conflict())
}

func TestAStateCanBePlantedOnANodeThatIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		shop := c.Client(t).Tenant("shop")
		n := c.Owners("shop", "k")[0]
		n.Stop()
		c.PlantState("shop", "k", pairdb.Causal, someState(), n)
		state, found := n.State("shop", "k")
		require.True(t, found)
		require.Len(t, state.Siblings, 1)
		n.Start()
		time.Sleep(10 * time.Second)
		got, err := shop.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.Equal(t, "v", string(got.Value))
	})
}

func TestOwnersAreThoseOfTheClientSpreadOverZones(t *testing.T) {
	tenants, err := tenant.AnyWith(tenant.Config{Replicas: 2})
	require.NoError(t, err)
	c := pairdbtest.New(t, 6, pairdbtest.Zones("a", "b", "c"), pairdbtest.Partitions(16), pairdbtest.Tenants(tenants))
	shop := c.Client(t).Tenant("shop")
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		want, err := shop.Owners(key)
		require.NoError(t, err)
		require.Len(t, want, 2)
		require.NotEqual(t, want[0].Zone, want[1].Zone)
		for i, n := range c.Owners("shop", key) {
			require.Equal(t, want[i].ID, n.ID())
		}
	}
}

func TestPlantingInALastWriteWinsTenantIsRefused(t *testing.T) {
	tenants, err := tenant.AnyWith(tenant.Config{Policy: pairdb.LastWriteWins})
	require.NoError(t, err)
	c, err := pairdbtest.Start(3, pairdbtest.Tenants(tenants))
	require.NoError(t, err)
	defer c.Close()
	require.Panics(t, func() { c.Plant("sessions", "k", "a", "b") })
}

func TestStartRefusesWhatItCannotMake(t *testing.T) {
	for name, start := range map[string]func() (*pairdbtest.Cluster, error){
		"no node":    func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(0) },
		"many nodes": func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(1000) },
		"partitions": func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(3, pairdbtest.Partitions(3)) },
		"zone":       func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(3, pairdbtest.Zones("a b")) },
		"limits": func() (*pairdbtest.Cluster, error) {
			return pairdbtest.Start(3, pairdbtest.NodeLimits(pairdbtest.Limits{MaxSiblings: -1}))
		},
		"nil option":  func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(3, nil) },
		"nil clock":   func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(3, pairdbtest.Clock(nil)) },
		"nil tenants": func() (*pairdbtest.Cluster, error) { return pairdbtest.Start(3, pairdbtest.Tenants(nil)) },
	} {
		_, err := start()
		require.Error(t, err, name)
	}
}

func TestAClosedClusterOpensNoClientAndClosesTheOnesItHas(t *testing.T) {
	c, err := pairdbtest.Start(3)
	require.NoError(t, err)
	client, err := c.Open(t.Context())
	require.NoError(t, err)
	c.Close()
	c.Close()
	_, err = client.Tenant("shop").Get(t.Context(), "k")
	require.ErrorIs(t, err, pairdb.ErrClosed)
	_, err = c.Open(t.Context())
	require.Error(t, err)
}
