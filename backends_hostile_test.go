//pairdb:needs postgres
//pairdb:needs redis

package pairdb_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	idempotencypg "github.com/devrev/pairdb/idempotency/postgres"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
	tenantpg "github.com/devrev/pairdb/tenant/postgres"
	"github.com/devrev/pairdb/vclock"
)

// hostile is what a caller may pass for a name.
var hostile = []string{
	"'; DROP TABLE pairdb_tenants; --", "' OR '1'='1", `"`, `\`, "$1", "%", "a\x00", "\x00", "a\nb", "\r\nFLUSHALL\r\n",
	"\xff\xfe", "caf\xc3", "café", "cafe\u0301", "\u202eterces", "\ufeff", "\U0001f4a3", "{a}", "*", " ", "  ", "a ", "a/b", "",
	strings.Repeat("é", 100), strings.Repeat("x", tenant.MaxIDLen+1), strings.Repeat("x", 1<<20), strings.Repeat("\xff", 1<<20),
}

func TestATenantIDThatCannotBeOneIsRefusedByNameAndAsksNobody(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	b.create("shop")
	// Without notifications, of which the first has what is known loaded again.
	p := b.process(setting{ttl: tenant.DefaultCacheTTL, tenants: []tenantpg.Option{tenantpg.WithoutNotify()}})
	require.True(t, p.takes(t, "shop", 1))
	loads := p.cache.Stats().Loads
	for _, id := range hostile {
		handle := p.client.Tenant(id)
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(t.Context(), handle, "k")
			var input *pairdb.InputError
			require.ErrorAs(t, err, &input)
			require.Equal(t, "tenant", input.Field)
			requirePrintable(t, err)
			return err
		})
		_, err := handle.Owners("k")
		require.ErrorIs(t, err, pairdb.ErrInvalid)
		requirePrintable(t, err)

		s := p.client.Tenants()
		_, got := s.Get(t.Context(), id)
		_, created := s.Create(t.Context(), tenant.Config{ID: id})
		_, updated := s.Update(t.Context(), tenant.Config{ID: id, Replicas: 3, Version: 1})
		deleted := s.Delete(t.Context(), id, 1)
		for _, err := range []error{got, created, updated, deleted} {
			require.ErrorIs(t, err, tenant.ErrInvalid)
			requirePrintable(t, err)
		}
		if id != "" {
			_, err = s.List(t.Context(), id, 0)
			require.ErrorIs(t, err, tenant.ErrInvalid)
			requirePrintable(t, err)
		}
	}
	require.Equal(t, loads, p.cache.Stats().Loads)
	list, err := p.client.Tenants().List(t.Context(), "", 0)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

// requirePrintable checks that an error can be logged whatever caused it.
func requirePrintable(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	require.Less(t, len(text), 2000)
	require.True(t, utf8.ValidString(text), "%q", text)
	require.NotContains(t, text, "\x00")
	require.NotContains(t, text, "\n")
	require.NotContains(t, text, "\u202e")
}

func TestOddTenantIDsThatAreAllowedAreTenantsLikeOthers(t *testing.T) {
	b := newBackends(t, testservers.SharedPostgres(t))
	ids := []string{"--", ".", "..", "-", "_", "0", "NULL", "null", "shop", "Shop", "pairdb_tenants", strings.Repeat("x", tenant.MaxIDLen)}
	b.create(ids...)
	p := b.process(setting{more: []pairdb.Option{pairdb.WithIdempotency(redisStore(t, testservers.SharedRedis(t)))}})
	for _, id := range ids {
		_, err := p.client.Tenant(id).Put(t.Context(), "k", []byte(id), key("token"))
		require.NoError(t, err)
	}
	for _, id := range ids {
		obj, err := p.client.Tenant(id).Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, id, string(obj.Value))
		again, err := p.client.Tenant(id).Put(t.Context(), "k", []byte(id), key("token"))
		require.NoError(t, err)
		require.True(t, again.Duplicate)
	}
}

func TestKeysAndTokensOfAnyBytesAreKeptApart(t *testing.T) {
	pool := newPool(t, testservers.SharedPostgres(t))
	postgres, err := idempotencypg.New(pool)
	require.NoError(t, err)
	t.Cleanup(postgres.Close)
	require.NoError(t, postgres.Migrate(t.Context()))
	for name, store := range map[string]idempotency.Store{
		"redis": redisStore(t, testservers.SharedRedis(t)), "postgres": postgres,
	} {
		t.Run(name, func(t *testing.T) {
			shop := pairdbtest.New(t, 3).Client(t, pairdb.WithIdempotency(store)).Tenant("shop")
			effects := map[vclock.Dot]string{}
			once := func(k, token string) {
				first, err := shop.Put(t.Context(), k, []byte("v"), key(token))
				require.NoError(t, err, "%q %q", k, token)
				require.False(t, first.Duplicate, "%q %q", k, token)
				require.NotContains(t, effects, first.Dot)
				effects[first.Dot] = token
				again, err := shop.Put(t.Context(), k, []byte("v"), key(token))
				require.NoError(t, err)
				require.True(t, again.Duplicate)
				require.Equal(t, first.Dot, again.Dot)
				_, err = shop.Put(t.Context(), k, []byte("another"), key(token))
				require.ErrorIs(t, err, pairdb.ErrIdempotencyConflict)
				requireOneOutcome(t, err, pairdb.ErrNotApplied)
			}
			for _, odd := range hostile {
				switch {
				case odd == "" || len(odd) > 1024:
					_, err := shop.Put(t.Context(), "k", nil, key(odd))
					require.ErrorIs(t, err, pairdb.ErrInvalid)
					requirePrintable(t, err)
				case len(odd) <= 255:
					once("k", odd)
					once(odd, "token")
				}
			}
			once("ab", "c") // not what
			once("a", "bc") // this is
			t.Logf("%d pairs of key and token had one effect each", len(effects))
		})
	}
}
