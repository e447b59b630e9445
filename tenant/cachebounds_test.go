package tenant_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

func TestRefreshesInTheBackgroundAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tenants = 2000
		s := newScript()
		for i := range tenants {
			s.set(tenant.Config{ID: fmt.Sprintf("t%d", i), Replicas: 3, Version: 1})
		}
		c := newCache(t, s)
		askAll := func() {
			for i := range tenants {
				version(t, c, fmt.Sprintf("t%d", i))
			}
		}
		askAll()
		time.Sleep(ttl*3/4 + 1)
		release := s.block()
		askAll()
		synctest.Wait()
		require.Equal(t, tenants+8, s.total())
		release()
		synctest.Wait()
		require.Less(t, s.total(), 2*tenants, "the queue is bounded")
		askAll()
		synctest.Wait()
		require.Equal(t, 2*tenants, s.total(), "who found no room is asked for again")
	})
}

func TestATenantIsInTheQueueOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := []string{"a", "b", "c", "d", "e", "f", "g", "h", "hot", "last"} // two more than load at once
		s := newScript(ids...)
		c := newCache(t, s)
		for _, id := range ids {
			version(t, c, id)
		}
		time.Sleep(ttl*3/4 + 1)
		release := s.block()
		for _, id := range ids[:8] {
			version(t, c, id)
		}
		synctest.Wait()
		for range 5000 { // more than the queue holds
			version(t, c, "hot")
		}
		version(t, c, "last")
		release()
		synctest.Wait()
		require.Equal(t, 2, s.count("hot"))
		require.Equal(t, 2, s.count("last"))
	})
}

func TestATenantThatWasLoadedWhileItWasInTheQueueIsNotLoadedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := []string{"a", "b", "c", "d", "e", "f", "g", "h", "queued"} // one more than load at once
		s := newScript(ids...)
		c := newCache(t, s, tenant.CacheTTL(time.Second))
		for _, id := range ids {
			version(t, c, id)
		}
		time.Sleep(850 * time.Millisecond)
		release := s.block()
		for _, id := range ids {
			version(t, c, id)
		}
		synctest.Wait()
		time.Sleep(300 * time.Millisecond)
		require.Equal(t, 1, s.count("queued"))
		s.pass()
		version(t, c, "queued")
		require.Equal(t, 2, s.count("queued"))
		release()
		synctest.Wait()
		require.Equal(t, 2, s.count("queued"))
	})
}

func TestWhatASlowListenerHasYetToBeToldIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tenants, bound = 3000, 1024
		var told staleLog
		slow := make(chan struct{})
		s := newScript()
		c := newCache(t, s, tenant.OnStale(func(stale tenant.Stale) {
			<-slow
			told.add(stale)
		}))
		for i := range tenants {
			id := fmt.Sprintf("t%d", i)
			s.set(tenant.Config{ID: id, Replicas: 3, Version: 1})
			version(t, c, id)
		}
		s.fail(errDown)
		time.Sleep(ttl)
		for i := range tenants {
			version(t, c, fmt.Sprintf("t%d", i))
		}
		synctest.Wait()
		close(slow)
		synctest.Wait()
		require.LessOrEqual(t, len(told.all()), 2*bound) // those it was being told, and those that waited
		require.GreaterOrEqual(t, len(told.all()), bound)
	})
}

func TestWhatWasLoadedTogetherIsNotDueTogether(t *testing.T) {
	const tenants = 1000
	for after, want := range map[time.Duration][2]int{
		tenant.DefaultCacheTTL*9/10 - 1:  {0, 0},
		tenant.DefaultCacheTTL:           {tenants * 4 / 10, tenants * 6 / 10},
		tenant.DefaultCacheTTL * 11 / 10: {tenants, tenants},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript()
			c := newCache(t, s)
			for i := range tenants {
				id := fmt.Sprintf("t%d", i)
				s.set(tenant.Config{ID: id, Replicas: 3, Version: 1})
				version(t, c, id)
			}
			time.Sleep(after)
			expired := 0
			for i := range tenants {
				if _, ok := c.AtHand(fmt.Sprintf("t%d", i)); !ok {
					expired++
				}
			}
			require.GreaterOrEqual(t, expired, want[0])
			require.LessOrEqual(t, expired, want[1])
		})
	}
}

func TestLoadsAreBoundedAndWhoIsPastTheBoundWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tenants, bound = 200, 64
		s := newScript()
		for i := range tenants {
			s.set(tenant.Config{ID: fmt.Sprintf("t%d", i), Replicas: 3, Version: 1})
		}
		c := newCache(t, s)
		release := s.block()
		var wg sync.WaitGroup
		for i := range tenants {
			wg.Go(func() { version(t, c, fmt.Sprintf("t%d", i)) })
		}
		synctest.Wait()
		require.Equal(t, bound, s.total())
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := c.Get(ctx, "another")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		release()
		wg.Wait()
		require.Equal(t, tenants, s.total())
		require.LessOrEqual(t, s.atOnce(), bound)
	})
}

func TestWhoWasNotAskedForTheLongestIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("a", "b", "c")
		c := newCache(t, s, tenant.CacheSize(2))
		version(t, c, "a")
		version(t, c, "b")
		time.Sleep(time.Second) // the order of use is exact to the second
		version(t, c, "a")
		version(t, c, "c")
		_, ok := c.AtHand("b")
		require.False(t, ok)
		version(t, c, "a")
		require.Equal(t, 1, s.count("a"))
		require.Equal(t, 2, c.Stats().Size)
	})
}

func TestAFloodOfUnknownIDsPushesNoKnownTenantOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme", "zeta")
		c := newCache(t, s, tenant.CacheSize(2))
		version(t, c, "acme")
		version(t, c, "zeta")
		for i := range 5_000 {
			_, err := c.Get(t.Context(), fmt.Sprintf("nobody-%d", i))
			require.ErrorIs(t, err, tenant.ErrNotFound)
		}
		version(t, c, "acme")
		version(t, c, "zeta")
		require.Equal(t, 1, s.count("acme"))
		require.Equal(t, 1, s.count("zeta"))
		require.Equal(t, 2, c.Stats().Size)
	})
}
