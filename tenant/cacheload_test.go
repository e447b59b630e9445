package tenant_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

func TestATenantIsLoadedOnceAndThenServedFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		_, ok := c.AtHand("acme")
		require.False(t, ok)
		for range 10 {
			require.Equal(t, uint64(1), version(t, c, "acme"))
		}
		got, ok := c.AtHand("acme")
		require.True(t, ok)
		require.Equal(t, "acme", got.ID)
		require.Equal(t, 1, s.count("acme"))
		require.Equal(t, tenant.CacheStats{Hits: 10, Misses: 1, Loads: 1, Size: 1}, c.Stats())
	})
}

func TestAllWhoAskForATenantShareOneLoadAndItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		for _, want := range []error{errDown, nil} {
			s.fail(want)
			before := s.count("acme")
			release := s.block()
			errs := make([]error, 20)
			var wg sync.WaitGroup
			for i := range errs {
				wg.Go(func() { _, errs[i] = c.Get(t.Context(), "acme") })
			}
			synctest.Wait()
			release()
			wg.Wait()
			require.Equal(t, before+1, s.count("acme"))
			for _, err := range errs {
				require.ErrorIs(t, err, want)
			}
		}
	})
}

func TestAnErrorOfTheStoreIsNotRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		s.fail(errDown)
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, errDown)
		require.NotErrorIs(t, err, tenant.ErrNotFound)
		s.fail(nil)
		require.Equal(t, uint64(1), version(t, c, "acme"))
	})
}

func TestWhoWaitsLeavesWhenItsContextEndsAndTheLoadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		release := s.block()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		require.Equal(t, 10*time.Millisecond, took(func() {
			_, err := c.Get(ctx, "acme")
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}))
		release()
		synctest.Wait()
		_, ok := c.AtHand("acme")
		require.True(t, ok)
		require.Equal(t, 1, s.count("acme"))

		_, err := c.Get(ctx, "zeta") // it has ended already
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Zero(t, s.count("zeta"))
	})
}

func TestALoadThatTakesTooLongIsNotTheCallersContextEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s, tenant.LoadTimeout(300*time.Millisecond))
		defer s.block()()
		require.Equal(t, 300*time.Millisecond, took(func() {
			_, err := c.Get(t.Context(), "acme")
			require.ErrorContains(t, err, "300ms")
			require.NotErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, tenant.ErrNotFound)
		}))
		require.Equal(t, uint64(1), c.Stats().LoadErrors)
	})
}

func TestThatThereIsNoSuchTenantIsRememberedBriefly(t *testing.T) {
	for _, c := range []struct {
		opts []tenant.CacheOption
		ttl  time.Duration
	}{
		{nil, tenant.DefaultUnknownTTL},
		{[]tenant.CacheOption{tenant.UnknownTTL(time.Second)}, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript()
			cache := newCache(t, s, c.opts...)
			for range 3 {
				_, err := cache.Get(t.Context(), "acme")
				require.ErrorIs(t, err, tenant.ErrNotFound)
			}
			require.Equal(t, 1, s.count("acme"))
			require.Equal(t, tenant.CacheStats{Misses: 1, Unknown: 2, Loads: 1}, cache.Stats())
			s.set(tenant.Config{ID: "acme", Replicas: 3, Version: 1})
			time.Sleep(c.ttl - time.Millisecond)
			_, err := cache.Get(t.Context(), "acme")
			require.ErrorIs(t, err, tenant.ErrNotFound)
			time.Sleep(time.Millisecond)
			require.Equal(t, uint64(1), version(t, cache, "acme"))
		})
	}
}

func TestWithAnUnknownTTLOfZeroNothingIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		c := newCache(t, s, tenant.UnknownTTL(0))
		for range 3 {
			_, err := c.Get(t.Context(), "acme")
			require.ErrorIs(t, err, tenant.ErrNotFound)
		}
		require.Equal(t, 3, s.count("acme"))
	})
}

func TestAnIDThatCannotNameATenantIsRefusedWithoutAsking(t *testing.T) {
	s := newScript()
	c := newCache(t, s)
	for _, id := range []string{"", "a/b", "'; DROP TABLE pairdb_tenants; --", "\xff", "a\x00"} {
		_, err := c.Get(t.Context(), id)
		require.ErrorIs(t, err, tenant.ErrInvalid)
		_, ok := c.AtHand(id)
		require.False(t, ok)
	}
	require.Zero(t, s.total())
	require.Zero(t, c.Stats())
}

func TestWhatNoTenantCanBeIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		c := newCache(t, s)
		s.tenants["acme"] = tenant.Config{ID: "acme", Replicas: 99}
		s.tenants["zeta"] = tenant.Config{ID: "acme", Replicas: 3}
		for _, id := range []string{"acme", "zeta"} {
			_, err := c.Get(t.Context(), id)
			require.Error(t, err)
			require.NotErrorIs(t, err, tenant.ErrInvalid, "the caller's id is valid")
			require.NotErrorIs(t, err, tenant.ErrNotFound)
		}
		require.Zero(t, c.Stats().Size)
	})
}
