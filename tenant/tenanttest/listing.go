package tenanttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

var listing = []storeCase{
	{"a store without tenants lists none", func(t *testing.T, s tenant.Store) {
		for _, after := range []string{"", "acme"} {
			page, err := s.List(soon(t), after, 0)
			require.NoError(t, err)
			require.Empty(t, page)
		}
	}},
	{"a list is in the order of the ids' bytes, and has each tenant whole", func(t *testing.T, s tenant.Store) {
		holds(t, s, createAll(t, s, unordered)...)
	}},
	{"pages of any size hold each tenant once", func(t *testing.T, s tenant.Store) {
		all := createAll(t, s, unordered)
		for limit := 1; limit <= len(all)+1; limit++ {
			var got []tenant.Config
			after := ""
			for {
				page, err := s.List(soon(t), after, limit)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), limit)
				got = append(got, page...)
				require.LessOrEqual(t, len(got), len(all), "the pages do not end")
				if len(page) < limit {
					break
				}
				after = page[len(page)-1].ID
			}
			require.Equal(t, all, got, "limit %d", limit)
		}
	}},
	{"a list begins after an id whether or not there is such a tenant", func(t *testing.T, s tenant.Store) {
		all := createAll(t, s, unordered)
		for _, after := range append([]string{"-", "A0", "Zz", "aa", "a.", "zzz", strings.Repeat("z", tenant.MaxIDLen)}, unordered...) {
			var want []tenant.Config
			for _, c := range all {
				if c.ID > after {
					want = append(want, c)
				}
			}
			page, err := s.List(soon(t), after, 0)
			require.NoError(t, err)
			require.Len(t, page, len(want), "after %q", after)
			for i := range want {
				require.Equal(t, want[i], page[i], "after %q", after)
			}
		}
	}},
	{"a list of a limit that is out of bounds is invalid", func(t *testing.T, s tenant.Store) {
		for _, limit := range []int{-1, tenant.MaxList + 1, -1 << 31} {
			page, err := s.List(soon(t), "", limit)
			isOnly(t, err, tenant.ErrInvalid)
			require.Empty(t, page)
		}
	}},
	{"a list without a limit has the default's", func(t *testing.T, s tenant.Store) {
		ids := make([]string, tenant.DefaultList+1)
		for i := range ids {
			ids[i] = fmt.Sprintf("t%03d", i)
		}
		all := createAll(t, s, ids)
		page, err := s.List(soon(t), "", 0)
		require.NoError(t, err)
		require.Equal(t, all[:tenant.DefaultList], page)
	}},
	{"a page is its caller's to change", func(t *testing.T, s tenant.Store) {
		all := createAll(t, s, unordered)
		page, err := s.List(soon(t), "", 0)
		require.NoError(t, err)
		clear(page)
		holds(t, s, all...)
	}},
}

// unordered are ids in no order, which sort otherwise by bytes than by a language's rules.
var unordered = []string{"b", "a", "B", "A", "_", "a.b", "a-b", "a_b", "ab", "aB", "Ab", "Z", "z", "10", "9", ".", "a-"}

// createAll creates a tenant of each id and returns them in the order of their bytes.
func createAll(t *testing.T, s tenant.Store, ids []string) []tenant.Config {
	t.Helper()
	all := make([]tenant.Config, len(ids))
	for i, id := range ids {
		all[i] = create(t, s, tenant.Config{ID: id, Replicas: 1 + i%tenant.MaxReplicas})
	}
	slices.SortFunc(all, func(a, b tenant.Config) int { return strings.Compare(a.ID, b.ID) })
	return all
}
