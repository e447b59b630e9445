package tenanttest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

var times = []storeCase{
	{"times are in UTC, and to the microsecond", func(t *testing.T, s tenant.Store) {
		kept := update(t, s, create(t, s, acme()))
		for _, at := range []time.Time{kept.Created, kept.Updated} {
			require.False(t, at.IsZero())
			require.Equal(t, tenant.KeptTime(at), at)
		}
	}},
	{"created stays, and updated never goes back", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		require.Equal(t, kept.Created, kept.Updated)
		for range 5 {
			next := update(t, s, kept)
			require.Equal(t, kept.Created, next.Created)
			require.False(t, next.Updated.Before(kept.Updated))
			kept = next
		}
	}},
	{"a caller's times are not looked at", func(t *testing.T, s tenant.Store) {
		stray := time.Date(1970, 1, 1, 0, 0, 0, 0, time.FixedZone("stray", 3600))
		c := acme()
		c.Created, c.Updated = stray, stray
		kept := create(t, s, c)
		require.NotEqual(t, 1970, kept.Created.Year())
		require.NotEqual(t, 1970, kept.Updated.Year())

		c = kept
		c.Created, c.Updated = stray, stray
		next := update(t, s, c)
		require.Equal(t, kept.Created, next.Created)
		require.False(t, next.Updated.Before(kept.Updated))
		has(t, s, next)
	}},
}
