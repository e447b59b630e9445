package tenanttest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

var refusals = []storeCase{
	{"an id that cannot name a tenant is invalid for every method, and nothing changes", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		for _, id := range badIDs() {
			got, err := s.Get(soon(t), id)
			isOnly(t, err, tenant.ErrInvalid)
			require.Zero(t, got)
			got, err = s.Create(soon(t), tenant.Config{ID: id, Replicas: 3})
			isOnly(t, err, tenant.ErrInvalid)
			require.Zero(t, got)
			got, err = s.Update(soon(t), tenant.Config{ID: id, Replicas: 3, Version: 1})
			isOnly(t, err, tenant.ErrInvalid)
			require.Zero(t, got)
			isOnly(t, s.Delete(soon(t), id, 1), tenant.ErrInvalid)
			if id != "" {
				page, err := s.List(soon(t), id, 0)
				isOnly(t, err, tenant.ErrInvalid)
				require.Empty(t, page)
			}
			require.Less(t, len(err.Error()), 4096, "the error repeats an id of any length")
		}
		holds(t, s, kept)
	}},
	{"a config that breaks a rule is invalid, by field, and nothing changes", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		for field, change := range map[string]func(*tenant.Config){
			"Replicas":             func(c *tenant.Config) { c.Replicas = tenant.MaxReplicas + 1 },
			"Read":                 func(c *tenant.Config) { c.Replicas, c.Write, c.Read = 2, quorum.One, quorum.Three },
			"Write":                func(c *tenant.Config) { c.Write = quorum.All + 1 },
			"Policy":               func(c *tenant.Config) { c.Policy = 200 },
			"Limits.MaxValueBytes": func(c *tenant.Config) { c.Limits.MaxValueBytes = -1 },
		} {
			fresh := acme()
			fresh.ID = "zeta"
			change(&fresh)
			got, err := s.Create(soon(t), fresh)
			isOnly(t, err, tenant.ErrInvalid)
			require.Equal(t, []string{field}, fields(err))
			require.Zero(t, got)

			next := kept
			change(&next)
			got, err = s.Update(soon(t), next)
			isOnly(t, err, tenant.ErrInvalid)
			require.Equal(t, []string{field}, fields(err))
			require.Zero(t, got)
		}
		holds(t, s, kept)
	}},
	{"an update without replicas is invalid", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		next := kept
		next.Replicas = 0
		_, err := s.Update(soon(t), next)
		isOnly(t, err, tenant.ErrInvalid)
		holds(t, s, kept)
	}},
}

// badIDs are what programs have been broken with.
func badIDs() []string {
	return []string{
		"",
		" ",
		"acme ",
		"a/b",
		"../acme",
		"acme\x00",
		"acme\n",
		"%",
		"ac_e%",
		"'; DROP TABLE pairdb_tenants; --",
		"acme' OR '1'='1",
		`acme"`,
		`acme\`,
		"$1",
		"acmé",
		"аcme",         // the first letter is Cyrillic
		"a\u200bcme",   // a space of no width
		"\ufeffacme",   // a byte order mark
		"acme\u202e",   // right to left from here
		"\xff\xfe",     // not UTF-8
		"ac\xc3",       // half a letter
		"\xed\xa0\x80", // half a surrogate pair
		strings.Repeat("x", tenant.MaxIDLen+1),
		strings.Repeat("é", 1<<19), // 1 MiB
	}
}
