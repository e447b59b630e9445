package tenanttest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

// NewReader makes a Reader of exactly the given tenants, whose configs are valid.
type NewReader func(t *testing.T, configs ...tenant.Config) tenant.Reader

// RunReader checks that the readers of newReader keep the contract of
// tenant.Reader. Each subtest makes its own.
func RunReader(t *testing.T, newReader NewReader) {
	t.Helper()
	acme := tenant.Config{
		ID:       "acme",
		Replicas: 5,
		Read:     quorum.One,
		Write:    quorum.Three,
		Policy:   vclock.LastWriteWins,
		Limits:   tenant.Limits{MaxValueBytes: 4096},
	}
	longest := tenant.Config{ID: strings.Repeat("x", tenant.MaxIDLen), Replicas: 1}

	t.Run("a tenant's config comes back whole and valid", func(t *testing.T) {
		r := newReader(t, acme, longest)
		for _, want := range []tenant.Config{acme, longest} {
			got, err := r.Get(t.Context(), want.ID)
			require.NoError(t, err)
			require.NoError(t, got.Validate())
			require.Equal(t, want, settings(got))
		}
	})
	t.Run("an id that is no tenant's is not found", func(t *testing.T) {
		r := newReader(t, acme)
		for _, id := range []string{"zeta", "Acme", "acm", "acme."} {
			got, err := r.Get(t.Context(), id)
			require.ErrorIs(t, err, tenant.ErrNotFound, id)
			require.NotErrorIs(t, err, tenant.ErrInvalid, id)
			require.Zero(t, got, id)
		}
	})
	t.Run("an id that cannot name a tenant is invalid", func(t *testing.T) {
		r := newReader(t, acme)
		for _, id := range []string{"", "a/b", "acme ", "acmé", "a\x00", strings.Repeat("x", tenant.MaxIDLen+1)} {
			got, err := r.Get(t.Context(), id)
			require.ErrorIs(t, err, tenant.ErrInvalid, "%q", id)
			require.NotErrorIs(t, err, tenant.ErrNotFound, "%q", id)
			require.Zero(t, got, "%q", id)
		}
	})
	t.Run("a tenant that is at hand is answered whatever its context", func(t *testing.T) {
		r := newReader(t, acme)
		_, err := r.Get(t.Context(), acme.ID) // it is at hand from here on
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = r.Get(ctx, acme.ID)
		require.NoError(t, err)
	})
	t.Run("any number of goroutines may ask at once", func(t *testing.T) {
		askAtOnce(t, newReader)
	})
}

func askAtOnce(t *testing.T, newReader NewReader) {
	t.Helper()
	const goroutines, tenants = 8, 50
	configs := make([]tenant.Config, tenants)
	for i := range configs {
		configs[i] = tenant.Config{ID: fmt.Sprintf("t%d", i), Replicas: 1 + i%tenant.MaxReplicas}
	}
	r := newReader(t, configs...)
	var wg sync.WaitGroup
	wrong := make([]error, goroutines)
	for g := range goroutines {
		wg.Go(func() {
			for _, want := range configs {
				got, err := r.Get(t.Context(), want.ID)
				if err != nil || settings(got) != want {
					wrong[g] = fmt.Errorf("%s: got %+v: %w", want.ID, got, err)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range wrong {
		require.NoError(t, err)
	}
}

// settings is c without what a store keeps for itself.
func settings(c tenant.Config) tenant.Config {
	return tenant.Config{
		ID: c.ID, Replicas: c.Replicas, Read: c.Read, Write: c.Write, Policy: c.Policy, Limits: c.Limits,
	}
}
