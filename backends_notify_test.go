//pairdb:needs postgres

package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	tenantpg "github.com/devrev/pairdb/tenant/postgres"
)

// lowers has the admin lower a tenant's limit, and returns how long after that the other process's next request was
// refused by it.
func lowers(t *testing.T, admin, other *process, id string, limit int) time.Duration {
	t.Helper()
	require.True(t, other.takes(t, id, limit+1))
	limitTo(t, admin.client.Tenants(), id, limit)
	require.False(t, admin.takes(t, id, limit+1), "who made the change has it at once")
	began := time.Now()
	for other.takes(t, id, limit+1) {
		require.Less(t, time.Since(began), patience)
	}
	return time.Since(began)
}

func logTimes(t *testing.T, what string, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	t.Logf("%s: median %v, worst of %d %v", what, took[len(took)/2].Round(10*time.Microsecond), len(took), took[len(took)-1].Round(10*time.Microsecond))
}

// Both processes have caches whose entries live for a minute, so what is seen sooner was told.
func TestAChangedTenantTakesEffectInOtherProcessesWhenTheyAreToldOfIt(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	b.create("shop", "leaving")
	admin, other := b.process(setting{}), b.process(setting{})
	require.True(t, other.takes(t, "shop", 1), "so that it listens")
	require.True(t, other.takes(t, "leaving", 1))
	require.True(t, admin.takes(t, "shop", 1))
	b.listening(tenantsChannel, 2)
	var took []time.Duration
	for i := range 50 {
		took = append(took, lowers(t, admin, other, "shop", 1000-i))
	}
	logTimes(t, "from the end of Update to the other process's next request that goes by it", took)

	left, err := admin.client.Tenants().Get(t.Context(), "leaving")
	require.NoError(t, err)
	require.NoError(t, admin.client.Tenants().Delete(t.Context(), "leaving", left.Version))
	gone := func(p *process) bool {
		_, err := p.client.Tenant("leaving").Put(t.Context(), "k", []byte("v"))
		if err != nil {
			require.ErrorIs(t, err, pairdb.ErrUnknownTenant)
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
		}
		return err != nil
	}
	require.True(t, gone(admin))
	t.Logf("a deleted tenant was refused by the other process after %v", eventually(t, "the deletion", func() bool { return gone(other) }))
}

func TestAProcessWhoseListenerIsCutSeesChangesAsItListensAgain(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	b.create("shop")
	admin, other := b.process(setting{}), b.process(setting{})
	require.True(t, other.takes(t, "shop", 1))
	var took []time.Duration
	for i := range 10 {
		pids := b.listening(tenantsChannel, 1+min(i, 1)) // the admin's begins with its first change
		_, err := b.pool.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM unnest($1::integer[]) AS pid", pids)
		require.NoError(t, err)
		took = append(took, lowers(t, admin, other, "shop", 1000-i))
	}
	logTimes(t, "the same with listeners that were terminated just before", took)
}

func TestWithoutNotifyAChangeTakesEffectWithinTheTimeToLive(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	b.create("shop", "leaving")
	quiet := setting{ttl: staleTTL, tenants: []tenantpg.Option{tenantpg.WithoutNotify()}}
	admin, other := b.process(quiet), b.process(quiet)
	require.True(t, other.takes(t, "leaving", 1))
	var took []time.Duration
	for i := range 5 {
		took = append(took, lowers(t, admin, other, "shop", 1000-i))
	}
	logTimes(t, fmt.Sprintf("the same without notifications and a TTL of %v", staleTTL), took)
	b.listening(tenantsChannel, 0)
	require.NoError(t, admin.client.Tenants().Delete(t.Context(), "leaving", 1))
	eventually(t, "the deletion", func() bool {
		_, err := other.client.Tenant("leaving").Get(t.Context(), "k")
		return errors.Is(err, pairdb.ErrUnknownTenant)
	})
	_, err := other.client.Tenants().Get(t.Context(), "leaving")
	require.ErrorIs(t, err, tenant.ErrNotFound)
}

// A tenant that a process was asked for too early is not refused by it once another process has created it.
func TestACreatedTenantIsServedByAProcessThatHasRefusedIt(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	b.create("shop")
	admin, other := b.process(setting{}), b.process(setting{})
	require.True(t, other.takes(t, "shop", 1))
	b.listening(tenantsChannel, 1)
	var took []time.Duration
	for i := range 20 {
		id := fmt.Sprintf("tenant-%d", i)
		for range 2 { // the second time it is remembered
			_, err := other.client.Tenant(id).Put(t.Context(), "k", []byte("v"))
			require.ErrorIs(t, err, pairdb.ErrUnknownTenant)
		}
		_, err := admin.client.Tenants().Create(context.Background(), tenant.Config{ID: id, Replicas: 3})
		require.NoError(t, err)
		took = append(took, eventually(t, "the tenant", func() bool {
			_, err := other.client.Tenant(id).Put(t.Context(), "k", []byte("v"))
			return err == nil
		}))
	}
	logTimes(t, "from the end of Create to the other process's first request that succeeds", took)
}
