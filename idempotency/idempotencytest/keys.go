package idempotencytest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
)

var keys = []storeCase{
	{"keys that differ in one field, or in where one field ends, are different records", func(t *testing.T, f *fixture) {
		unlike := unlikeKeys(idempotency.NewKey())
		for n, key := range unlike {
			f.begun(t, key, put(n, "v"), long)
		}
		for n, key := range unlike {
			f.holds(t, key, unfinished(put(n, "v")))
			f.complete(t, key, put(n, "v"), result, long)
		}
		for n, key := range unlike {
			f.holds(t, key, idempotency.Finished(put(n, "v"), result))
		}
	}},
	{"keys and tokens of any bytes and of the greatest length name records", func(t *testing.T, f *fixture) {
		odd := oddStrings(idempotency.NewKey())
		for n, s := range odd {
			require.LessOrEqual(t, len(s), idempotency.MaxTokenBytes)
			f.begun(t, idempotency.Key{Cluster: "shop", Tenant: "acme", Key: s, Token: "t"}, put(n, s), long)
			f.begun(t, idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "k", Token: s}, put(n+len(odd), s), long)
		}
		for n, s := range odd {
			f.holds(t, idempotency.Key{Cluster: "shop", Tenant: "acme", Key: s, Token: "t"}, unfinished(put(n, s)))
			f.holds(t, idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "k", Token: s}, unfinished(put(n+len(odd), s)))
		}
		longest := idempotency.Key{
			Cluster: strings.Repeat("C", idempotency.MaxNameBytes), Tenant: strings.Repeat("T", idempotency.MaxNameBytes),
			Key: strings.Repeat("\xff", idempotency.MaxKeyBytes), Token: strings.Repeat("\xfe", idempotency.MaxTokenBytes),
		}
		longest.Token = idempotency.NewKey() + longest.Token[:idempotency.MaxTokenBytes-26]
		f.begun(t, longest, put(1, "v"), long)
		f.holds(t, longest, unfinished(put(1, "v")))
		longest.Token = longest.Token[:idempotency.MaxTokenBytes-1] + "x"
		f.lacks(t, longest)
	}},
}

// unlikeKeys have u in each token, so that no other case has them.
func unlikeKeys(u string) []idempotency.Key {
	return []idempotency.Key{
		{Cluster: "a", Tenant: "b", Key: "c", Token: "d" + u},
		{Cluster: "aa", Tenant: "b", Key: "c", Token: "d" + u},
		{Cluster: "A", Tenant: "b", Key: "c", Token: "d" + u},
		{Cluster: "a", Tenant: "bb", Key: "c", Token: "d" + u},
		{Cluster: "a", Tenant: "B", Key: "c", Token: "d" + u},
		{Cluster: "a", Tenant: "b", Key: "cc", Token: "d" + u},
		{Cluster: "a", Tenant: "b", Key: "C", Token: "d" + u},
		{Cluster: "a", Tenant: "b", Key: "c", Token: "dd" + u},
		{Cluster: "a", Tenant: "b", Key: "c", Token: "D" + u},
		{Cluster: "a", Tenant: "b", Key: "c ", Token: "d" + u},
		{Cluster: "a", Tenant: "b", Key: "c\x00", Token: "d" + u},
		{Cluster: "a", Tenant: "b", Key: "c", Token: "\x00d" + u},
		{Cluster: "a", Tenant: "b", Key: "cd", Token: u},
		{Cluster: "ab", Tenant: "c", Key: "d", Token: u},
		{Cluster: "a", Tenant: "bc", Key: "d", Token: u},
		{Cluster: "a", Tenant: "b", Key: "d", Token: "c" + u},
		{Cluster: "b", Tenant: "a", Key: "c", Token: "d" + u},
		{Cluster: "a.b", Tenant: "c", Key: "d", Token: u},
		{Cluster: "a", Tenant: "b.c", Key: "d", Token: u},
		{Cluster: "a", Tenant: "b", Key: "c:d", Token: u},
		{Cluster: "a", Tenant: "b", Key: "c", Token: ":d" + u},
		{Cluster: "a", Tenant: "b", Key: "c", Token: "d:" + u},
		{Cluster: "a", Tenant: "b", Key: "c:", Token: "d" + u},
	}
}

// oddStrings have u in them, and are what a careless store trips over.
func oddStrings(u string) []string {
	return []string{
		u,
		strings.ToLower(u),
		u + " ",
		" " + u,
		u + "\x00",
		"\x00" + u,
		u + "\n\r\t",
		"{" + u + "}",
		"{" + u,
		u + "*?[a-z]",
		u + "'; drop table idempotency; --",
		u + "\\",
		u + "\\x00",
		u + "$1%s%00",
		"\xff\xfe" + u + "\x80",
		"é" + u,          // composed
		"e\u0301" + u,    // the same to a person
		"\u202e" + u,     // right to left
		"\U0001F4A9" + u, // beyond the first plane
		u + strings.Repeat("\x00", idempotency.MaxTokenBytes-len(u)),
		u + strings.Repeat("'", idempotency.MaxTokenBytes-len(u)),
	}
}
