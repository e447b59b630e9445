package tenant_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

func TestACacheThatIsNotUsedStartsNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	_, err := tenant.NewCache(newMemory(t)) // and is not closed
	require.NoError(t, err)
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

func TestCloseEndsLoadsAndWatchesAndWaitsForThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		w := newWatched("acme", "zeta")
		c := newCache(t, w)
		version(t, c, "acme")
		defer w.block()()
		var err error
		go func() { _, err = c.Get(t.Context(), "zeta") }()
		synctest.Wait()
		require.Equal(t, 1, w.count("zeta"))
		require.Zero(t, took(func() { require.NoError(t, c.Close()) }))
		require.Zero(t, w.runs(), "no load is under way")
		synctest.Wait()
		require.ErrorIs(t, err, tenant.ErrClosed)
		require.NoError(t, c.Close())
	})
}

func TestCloseWaitsForAListenerThatIsBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("acme")
		told := false
		c := newCache(t, s, tenant.OnStale(func(tenant.Stale) {
			time.Sleep(time.Second)
			told = true
		}))
		version(t, c, "acme")
		s.fail(errDown)
		time.Sleep(ttl)
		version(t, c, "acme")
		synctest.Wait()
		require.NoError(t, c.Close())
		require.True(t, told)
	})
}

func TestAClosedCacheServesWhoIsKnownAndNoOneElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, tenant.Config{ID: "acme"}, tenant.Config{ID: "zeta"})
		c := newCache(t, m)
		version(t, c, "acme")
		require.NoError(t, c.Close())
		for range 3 {
			version(t, c, "acme")
			time.Sleep(ttl)
		}
		_, err := c.Get(t.Context(), "zeta")
		require.ErrorIs(t, err, tenant.ErrClosed)
		_, err = c.Create(t.Context(), tenant.Config{ID: "new"})
		require.ErrorIs(t, err, tenant.ErrClosed)
		_, err = c.List(t.Context(), "", 0)
		require.ErrorIs(t, err, tenant.ErrClosed)
	})
}

func TestCacheOptionsAreRefusedByName(t *testing.T) {
	for option, opt := range map[string]tenant.CacheOption{
		"CacheSize":   tenant.CacheSize(0),
		"CacheTTL":    tenant.CacheTTL(time.Millisecond),
		"UnknownTTL":  tenant.UnknownTTL(-1),
		"LoadTimeout": tenant.LoadTimeout(0),
		"OnStale":     tenant.OnStale(nil),
		"LogTo":       tenant.LogTo(nil),
		"CacheOption": nil,
	} {
		_, err := tenant.NewCache(tenant.Any(), opt)
		require.ErrorIs(t, err, tenant.ErrInvalid)
		require.Equal(t, []string{option}, fields(err))
	}
	_, err := tenant.NewCache(nil)
	require.Equal(t, []string{"Reader"}, fields(err))
	_, err = tenant.NewCache(tenant.Any(), tenant.CacheSize(-1), tenant.CacheTTL(48*time.Hour))
	require.Equal(t, []string{"CacheSize", "CacheTTL"}, fields(err))
}
