package tenanttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

// handles are the cases for two stores on the same data.
var handles = []struct {
	name string
	run  func(t *testing.T, one, other tenant.Store)
}{
	{"what one handle does, the other sees at once", func(t *testing.T, one, other tenant.Store) {
		kept := create(t, one, acme())
		has(t, other, kept)
		has(t, one, kept)

		kept.Write = quorum.All
		kept = update(t, other, kept)
		has(t, one, kept)
		holds(t, one, kept)
		kept = update(t, one, kept)
		has(t, other, kept)

		remove(t, one, kept)
		isNoTenant(t, other, kept.ID)
		_, err := other.Create(soon(t), acme())
		isOnly(t, err, tenant.ErrExists)
		holds(t, other)
	}},
	{"of two handles' updates of one version the second is refused", func(t *testing.T, one, other tenant.Store) {
		first := create(t, one, acme())
		second := update(t, one, first)
		_, err := other.Update(soon(t), first)
		isVersionError(t, err, tenant.VersionError{ID: first.ID, Given: first.Version, Has: second.Version})
		isVersionError(t, other.Delete(soon(t), first.ID, first.Version),
			tenant.VersionError{ID: first.ID, Given: first.Version, Has: second.Version})
		has(t, other, second)
	}},
	{"a handle is told what the other one changes", func(t *testing.T, one, other tenant.Store) {
		if _, ok := one.(tenant.Watcher); !ok {
			t.Skip("the store is no tenant.Watcher")
		}
		told := watch(t, one)
		told.wait(t, "")
		kept := create(t, other, acme())
		told.wait(t, kept.ID)
		kept = update(t, other, kept)
		told.wait(t, kept.ID)
		require.NoError(t, other.Delete(soon(t), kept.ID, kept.Version))
		told.wait(t, kept.ID)
	}},
}
