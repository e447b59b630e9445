package tenant_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/tenanttest"
	"github.com/devrev/pairdb/vclock"
)

func TestStaticKeepsTheContractOfAReader(t *testing.T) {
	tenanttest.RunReader(t, func(t *testing.T, configs ...tenant.Config) tenant.Reader {
		r, err := tenant.Static(configs...)
		require.NoError(t, err)
		return r
	})
}

func TestForAnyEveryValidIDIsATenantOfThreeReplicas(t *testing.T) {
	got, err := tenant.Any().Get(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, tenant.Config{ID: "acme", Replicas: 3}, got)
	require.NoError(t, got.Validate())

	_, err = tenant.Any().Get(t.Context(), "a/b")
	require.ErrorIs(t, err, tenant.ErrInvalid)
}

func TestAnyWithAnswersWithItsConfigUnderTheIDAskedFor(t *testing.T) {
	r, err := tenant.AnyWith(tenant.Config{Write: quorum.Three, Policy: vclock.LastWriteWins})
	require.NoError(t, err)
	for _, id := range []string{"acme", "any", "zeta"} {
		got, err := r.Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, tenant.Config{ID: id, Replicas: 3, Write: quorum.Three, Policy: vclock.LastWriteWins}, got)
	}
	_, err = r.Get(t.Context(), "")
	require.ErrorIs(t, err, tenant.ErrInvalid)
}

func TestAnyWithRefusesAConfigByField(t *testing.T) {
	for field, c := range map[string]tenant.Config{
		"ID":       {ID: "acme"},
		"Replicas": {Replicas: 8},
		"Read":     {Replicas: 2, Read: quorum.Three},
	} {
		_, err := tenant.AnyWith(c)
		require.ErrorIs(t, err, tenant.ErrInvalid)
		require.Equal(t, []string{field}, fields(err))
	}
}

func TestStaticNamesEachConfigThatItRefuses(t *testing.T) {
	_, err := tenant.Static(
		tenant.Config{ID: "acme"},
		tenant.Config{ID: "acme", Replicas: 5},
		tenant.Config{ID: "zeta", Replicas: 2, Write: quorum.Three},
		tenant.Config{ID: "b/d"},
	)
	require.ErrorIs(t, err, tenant.ErrInvalid)
	require.Equal(t, []string{"ID", "Write", "ID"}, fields(err))
	require.ErrorContains(t, err, `config 2 ("zeta")`) // for people: which of them
}

func TestStaticFillsInTheReplicas(t *testing.T) {
	r, err := tenant.Static(tenant.Config{ID: "acme"})
	require.NoError(t, err)
	got, err := r.Get(t.Context(), "acme")
	require.NoError(t, err)
	require.Equal(t, tenant.DefaultReplicas, got.Replicas)
}

func TestATenantAtHandCostsNoAllocation(t *testing.T) {
	for name, r := range readers(t) {
		ctx := context.Background()
		require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = r.Get(ctx, "acme") }), name)
	}
}

func BenchmarkGet(b *testing.B) {
	for name, r := range readers(b) {
		b.Run(name, func(b *testing.B) {
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Get(ctx, "acme"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func readers(tb testing.TB) map[string]tenant.Reader {
	static, err := tenant.Static(tenant.Config{ID: "acme"}, tenant.Config{ID: "zeta"})
	require.NoError(tb, err)
	return map[string]tenant.Reader{"any": tenant.Any(), "static": static}
}
