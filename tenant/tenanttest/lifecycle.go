package tenanttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

var lifecycle = []storeCase{
	{"a tenant that was created is kept whole, as version 1", func(t *testing.T, s tenant.Store) {
		for _, c := range everySetting() {
			kept := create(t, s, c)
			require.Equal(t, c, settings(kept))
			require.Equal(t, uint64(1), kept.Version)
			require.NoError(t, kept.Validate())
			has(t, s, kept)
		}
	}},
	{"create fills in the replicas", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, tenant.Config{ID: "acme"})
		require.Equal(t, tenant.DefaultReplicas, kept.Replicas)
		has(t, s, kept)
	}},
	{"create refuses a version", func(t *testing.T, s tenant.Store) {
		c := acme()
		c.Version = 1
		_, err := s.Create(soon(t), c)
		isOnly(t, err, tenant.ErrInvalid)
		holds(t, s)
	}},
	{"a tenant that exists is not created again", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		other := tenant.Config{ID: kept.ID, Replicas: 1}
		got, err := s.Create(soon(t), other)
		isOnly(t, err, tenant.ErrExists)
		require.Zero(t, got)
		has(t, s, kept)
	}},
	{"ids that differ in case are different tenants", func(t *testing.T, s tenant.Store) {
		lower := create(t, s, tenant.Config{ID: "acme", Replicas: 1})
		upper := create(t, s, tenant.Config{ID: "ACME", Replicas: 2})
		has(t, s, lower)
		has(t, s, upper)
		remove(t, s, lower)
		has(t, s, upper)
	}},
	{"an update changes levels and limits, and counts the version up", func(t *testing.T, s tenant.Store) {
		bystander := create(t, s, tenant.Config{ID: "bystander"})
		kept := create(t, s, acme())
		for i := range 3 {
			next := kept
			next.Read, next.Write = quorum.Quorum+quorum.Level(i%2), quorum.All
			next.Limits.MaxValueBytes = i + 1
			changed := update(t, s, next)
			require.Equal(t, settings(next), settings(changed))
			require.Equal(t, kept.Version+1, changed.Version)
			has(t, s, changed)
			kept = changed
		}
		has(t, s, bystander)
	}},
	{"an update can set everything back to the defaults", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		changed := update(t, s, tenant.Config{ID: kept.ID, Replicas: kept.Replicas, Version: kept.Version})
		require.Equal(t, tenant.Config{ID: kept.ID, Replicas: kept.Replicas}, settings(changed))
		has(t, s, changed)
	}},
	{"an update that changes nothing is a version too", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		require.Equal(t, uint64(2), update(t, s, kept).Version)
	}},
	{"who is no tenant cannot be got, updated or deleted", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		for _, id := range []string{"zeta", "Acme", "acm", "acme."} {
			isNoTenant(t, s, id)
		}
		holds(t, s, kept)
	}},
	{"who was deleted is no tenant", func(t *testing.T, s tenant.Store) {
		bystander := create(t, s, tenant.Config{ID: "bystander"})
		kept := create(t, s, acme())
		remove(t, s, kept)
		isNoTenant(t, s, kept.ID)
		holds(t, s, bystander)
	}},
	{"the id of a tenant that was deleted stays reserved", func(t *testing.T, s tenant.Store) {
		remove(t, s, create(t, s, acme()))
		for range 2 {
			_, err := s.Create(soon(t), acme())
			isOnly(t, err, tenant.ErrExists)
		}
		isNoTenant(t, s, acme().ID)
		holds(t, s)
	}},
}

func isNoTenant(t *testing.T, s tenant.Store, id string) {
	t.Helper()
	got, err := s.Get(soon(t), id)
	isOnly(t, err, tenant.ErrNotFound)
	require.Zero(t, got)
	got, err = s.Update(soon(t), tenant.Config{ID: id, Replicas: 3, Version: 1})
	isOnly(t, err, tenant.ErrNotFound)
	require.Zero(t, got)
	isOnly(t, s.Delete(soon(t), id, 1), tenant.ErrNotFound)
}

// everySetting returns configs that have each value of each field at least once.
func everySetting() []tenant.Config {
	configs := []tenant.Config{
		{ID: strings.Repeat("x", tenant.MaxIDLen), Replicas: 3, Limits: tenant.Limits{MaxValueBytes: tenant.MaxValueBytes}},
		{ID: "A.z_0-9", Replicas: 3, Limits: tenant.Limits{MaxValueBytes: 1}},
	}
	for level := quorum.Default; level <= quorum.All; level++ {
		for _, policy := range []vclock.Policy{vclock.Causal, vclock.LastWriteWins} {
			configs = append(configs, tenant.Config{
				ID: fmt.Sprintf("level-%d-%d", level, policy), Replicas: tenant.MaxReplicas,
				Read: level, Write: quorum.All - level, Policy: policy,
			})
		}
	}
	for n := 1; n <= tenant.MaxReplicas; n++ {
		configs = append(configs, tenant.Config{ID: fmt.Sprintf("replicas-%d", n), Replicas: n})
	}
	return configs
}
