package tenant_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

func TestPastThreeQuartersOfItsTTLATenantIsServedAtOnceAndRefreshedBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		version(t, c, "acme")
		s.bump("acme")
		time.Sleep(ttl*3/4 + 1)
		release := s.block()
		require.Zero(t, took(func() {
			for range 5 {
				require.Equal(t, uint64(1), version(t, c, "acme"))
			}
		}))
		synctest.Wait()
		require.Equal(t, 2, s.count("acme"), "one load for all")
		release()
		synctest.Wait()
		require.Equal(t, uint64(2), version(t, c, "acme"))
		require.Equal(t, tenant.CacheStats{Hits: 6, Misses: 1, Loads: 2, Size: 1}, c.Stats())
	})
}

func TestATenantThatIsAskedForOftenNeverWaitsForALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		version(t, c, "acme")
		for range 1000 {
			time.Sleep(time.Second)
			require.Zero(t, took(func() { version(t, c, "acme") }))
		}
		require.Equal(t, uint64(1), c.Stats().Misses)
		require.Zero(t, c.Stats().Stale)
		require.InDelta(t, 1000/45, s.count("acme"), 4)
	})
}

func TestPastItsTTLAGetWaitsForTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		version(t, c, "acme")
		s.bump("acme")
		time.Sleep(ttl)
		_, ok := c.AtHand("acme")
		require.False(t, ok)
		require.Equal(t, uint64(2), version(t, c, "acme"))
		require.Equal(t, tenant.CacheStats{Misses: 2, Loads: 2, Size: 1}, c.Stats())
	})
}

func TestAStoreThatHangsDelaysAKnownTenantBy100MillisecondsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told staleLog
		s := newScript("acme")
		c := newCache(t, s, tenant.OnStale(told.add))
		version(t, c, "acme")
		time.Sleep(2 * ttl)
		defer s.block()()
		require.Equal(t, 100*time.Millisecond, took(func() { version(t, c, "acme") }))
		for range 600 { // a minute: through many timeouts of loads, and attempts after them
			require.Zero(t, took(func() { version(t, c, "acme") }))
			_, ok := c.AtHand("acme")
			require.True(t, ok)
			time.Sleep(100 * time.Millisecond)
		}
		require.NotEmpty(t, told.all())
		require.Equal(t, 2*ttl+100*time.Millisecond, told.all()[0].Age)
	})
}

func TestAKnownTenantIsServedForAsLongAsTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told staleLog
		s := newScript("acme")
		c := newCache(t, s, tenant.OnStale(told.add))
		version(t, c, "acme")
		s.fail(errDown)
		for range 1000 {
			time.Sleep(time.Hour)
			require.Equal(t, uint64(1), version(t, c, "acme"))
		}
		synctest.Wait() // listeners are told on a goroutine of their own
		all := told.all()
		last := all[len(all)-1]
		require.Equal(t, "acme", last.ID)
		require.GreaterOrEqual(t, last.Age, 999*time.Hour)
		require.ErrorIs(t, last.Err, errDown)

		s.fail(nil)
		s.bump("acme")
		time.Sleep(time.Minute)
		require.Equal(t, uint64(2), version(t, c, "acme"))
	})
}

func TestListenersAreToldAtMostOnceForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, second staleLog
		s := newScript("acme")
		c := newCache(t, s, tenant.OnStale(first.add))
		stop := c.NotifyStale(second.add)
		version(t, c, "acme")
		s.fail(errDown)
		time.Sleep(ttl)
		for range 5 { // each time past all retries, with many who ask
			before := len(first.all())
			for range 10 {
				version(t, c, "acme")
			}
			synctest.Wait()
			for range 10 {
				version(t, c, "acme")
			}
			synctest.Wait()
			require.LessOrEqual(t, len(first.all())-before, 2)
			time.Sleep(6 * time.Second)
		}
		require.Equal(t, first.all(), second.all())
		require.LessOrEqual(t, len(first.all()), s.count("acme")-1)
		require.Greater(t, c.Stats().Stale, uint64(len(first.all())))

		stop()
		stop()
		told := len(second.all())
		version(t, c, "acme")
		synctest.Wait()
		version(t, c, "acme")
		synctest.Wait()
		require.Len(t, second.all(), told)
		require.Greater(t, len(first.all()), told)
	})
}

func TestAStoreThatIsDownIsAskedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		version(t, c, "acme")
		s.fail(errDown)
		time.Sleep(ttl)
		before := s.count("acme")
		for range 10_000 {
			version(t, c, "acme")
			time.Sleep(10 * time.Millisecond)
		}
		require.InDelta(t, 30, s.count("acme")-before, 16) // in 100 s, with 2.5 to 5 s between them

		s.fail(nil)
		s.bump("acme")
		time.Sleep(5 * time.Second)
		version(t, c, "acme")
		synctest.Wait()
		require.Equal(t, uint64(2), version(t, c, "acme"), "it is noticed within 5 s that the store is back")
	})
}

func TestAKnownTenantThatTheStoreHasNoMoreIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		c := newCache(t, s)
		version(t, c, "acme")
		s.remove("acme")
		time.Sleep(ttl)
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
		s.fail(errDown)
		_, err = c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound, "it is remembered")
		require.Equal(t, 2, s.count("acme"))
		require.Zero(t, c.Stats().Size)
	})
}

func TestAKnownTenantPastItsTTLIsServedWhateverItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told staleLog
		s := newScript("acme")
		c := newCache(t, s, tenant.OnStale(told.add))
		version(t, c, "acme")
		time.Sleep(ttl)
		defer s.block()()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Get(ctx, "acme")
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, told.all(), "the store is not to blame")
	})
}

func TestALowerVersionNeverReplacesAHigherOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told staleLog
		s := newScript()
		c := newCache(t, s, tenant.OnStale(told.add))
		s.set(tenant.Config{ID: "acme", Replicas: 3, Version: 7})
		version(t, c, "acme")
		s.set(tenant.Config{ID: "acme", Replicas: 3, Version: 6})
		for range 5 {
			time.Sleep(ttl)
			require.Equal(t, uint64(7), version(t, c, "acme"))
		}
		synctest.Wait()
		require.NotEmpty(t, told.all())
	})
}

func TestWhatCannotChangeIsNotTakenFromAStoreThatChangedIt(t *testing.T) {
	for name, other := range map[string]tenant.Config{
		"replicas": {ID: "acme", Replicas: 5, Version: 2},
		"policy":   {ID: "acme", Replicas: 3, Policy: vclock.LastWriteWins, Version: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told staleLog
				s := newScript("acme")
				c := newCache(t, s, tenant.OnStale(told.add))
				version(t, c, "acme")
				s.set(other)
				time.Sleep(ttl)
				require.Equal(t, uint64(1), version(t, c, "acme"))
				synctest.Wait()
				require.ErrorIs(t, told.all()[0].Err, tenant.ErrImmutable)
			})
		})
	}
}
