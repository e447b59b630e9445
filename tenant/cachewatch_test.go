package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

// A watched is a script that can be watched.
type watched struct {
	*script
	tell    chan string
	broken  chan error
	watches chan struct{} // holds an element for each watch that began
	deaf    bool          // a watch breaks before it listens
}

func newWatched(ids ...string) *watched {
	return &watched{
		script: newScript(ids...), tell: make(chan string), broken: make(chan error), watches: make(chan struct{}, 10_000),
	}
}

func (w *watched) Watch(ctx context.Context, changed func(string)) error {
	w.watches <- struct{}{}
	if w.deaf {
		return errDown
	}
	changed("")
	for {
		select {
		case id := <-w.tell:
			changed(id)
		case err := <-w.broken:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestAChangeThatIsToldIsLoadedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched("acme")
		c := newCache(t, w)
		version(t, c, "acme")
		synctest.Wait()
		version(t, c, "acme") // the watch may have begun during the first load
		synctest.Wait()
		before := w.count("acme")
		w.bump("acme")
		require.Equal(t, uint64(1), version(t, c, "acme"))
		w.tell <- "acme"
		synctest.Wait()
		require.Equal(t, before+1, w.count("acme"))
		require.Equal(t, uint64(2), version(t, c, "acme"))

		w.remove("acme")
		w.tell <- "acme"
		synctest.Wait()
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
	})
}

func TestATenantThatIsCreatedElsewhereIsServedOnceThatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched()
		c := newCache(t, w)
		for range 3 { // the watch may have begun during the first load
			_, err := c.Get(t.Context(), "acme")
			require.ErrorIs(t, err, tenant.ErrNotFound)
			synctest.Wait()
		}
		require.NotZero(t, c.Stats().Unknown, "it is remembered")
		w.set(tenant.Config{ID: "acme", Replicas: 3, Version: 1})
		w.tell <- "acme"
		synctest.Wait()
		require.Equal(t, uint64(1), version(t, c, "acme"))
	})
}

func TestAChangeOfATenantThatNobodyAskedForIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched("acme", "zeta")
		c := newCache(t, w)
		version(t, c, "acme")
		synctest.Wait()
		w.tell <- "zeta"
		synctest.Wait()
		require.Zero(t, w.count("zeta"))
	})
}

func TestAChangeIsLoadedAlthoughAFailureWasJustMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched("acme")
		c := newCache(t, w)
		version(t, c, "acme")
		w.fail(errDown)
		for range 100 {
			time.Sleep(time.Second)
			version(t, c, "acme")
		}
		w.fail(nil)
		w.bump("acme")
		w.tell <- "acme"
		synctest.Wait()
		require.Equal(t, uint64(2), version(t, c, "acme"))
	})
}

// The interleaving that cacheload.go shows.
func TestALoadThatAChangeOvertookIsNotKept(t *testing.T) {
	for name, c := range map[string]struct {
		tell        string
		first, then *tenant.Config // what the two loads read
	}{
		"an older version":                       {"acme", &tenant.Config{ID: "acme", Replicas: 3, Version: 1}, &tenant.Config{ID: "acme", Replicas: 3, Version: 2}},
		"before it was made":                     {"acme", nil, &tenant.Config{ID: "acme", Replicas: 3, Version: 1}},
		"before it was erased":                   {"acme", &tenant.Config{ID: "acme", Replicas: 3, Version: 1}, nil},
		"an older version, told with others":     {"", &tenant.Config{ID: "acme", Replicas: 3, Version: 1}, &tenant.Config{ID: "acme", Replicas: 3, Version: 2}},
		"before it was made, told with others":   {"", nil, &tenant.Config{ID: "acme", Replicas: 3, Version: 1}},
		"before it was erased, told with others": {"", &tenant.Config{ID: "acme", Replicas: 3, Version: 1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWatched("other")
				cache := newCache(t, w)
				version(t, cache, "other")
				synctest.Wait()
				put := func(c *tenant.Config) {
					w.remove("acme")
					if c != nil {
						w.set(*c)
					}
				}
				check := func() {
					t.Helper()
					got, err := cache.Get(t.Context(), "acme")
					if c.then == nil {
						require.ErrorIs(t, err, tenant.ErrNotFound)
						return
					}
					require.NoError(t, err)
					require.Equal(t, *c.then, got)
				}

				put(c.first)
				release := w.block()
				go func() { _, _ = cache.Get(t.Context(), "acme") }()
				synctest.Wait() // the first load has read
				put(c.then)
				w.pass()
				w.tell <- c.tell
				synctest.Wait()
				check()
				release()
				synctest.Wait() // the first load has ended
				check()
				time.Sleep(time.Second)
				check()
				require.Equal(t, 2, w.count("acme"))
			})
		})
	}
}

// A load reads version 2; version 3 is made, and told; the load of that fails; the first load ends.
func TestALoadThatAChangeOvertookStillBringsALaterVersionThanWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched("acme")
		c := newCache(t, w)
		version(t, c, "acme")
		time.Sleep(ttl)
		w.bump("acme")
		release := w.block()
		go func() { _, _ = c.Get(t.Context(), "acme") }()
		synctest.Wait()
		w.bump("acme")
		w.pass()
		w.fail(errDown)
		w.tell <- "acme"
		synctest.Wait()
		require.Equal(t, uint64(1), version(t, c, "acme"))
		release()
		synctest.Wait()
		require.Equal(t, uint64(2), version(t, c, "acme"))
		w.fail(nil)
		time.Sleep(5 * time.Second)
		version(t, c, "acme")
		synctest.Wait()
		require.Equal(t, uint64(3), version(t, c, "acme"))
	})
}

func TestWhenAnythingMayHaveChangedAllIsRefreshedAtAMeasuredPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const tenants = 3000
		w := newWatched()
		c := newCache(t, w)
		for i := range tenants {
			id := fmt.Sprintf("t%d", i)
			w.set(tenant.Config{ID: id, Replicas: 3, Version: 1})
			version(t, c, id)
		}
		_, err := c.Get(t.Context(), "late")
		require.ErrorIs(t, err, tenant.ErrNotFound)
		synctest.Wait()
		time.Sleep(4 * time.Second) // what the start of the watch made due is loaded
		before := w.total()
		for i := range tenants {
			w.bump(fmt.Sprintf("t%d", i))
		}
		w.set(tenant.Config{ID: "late", Replicas: 3, Version: 1})
		w.tell <- ""
		synctest.Wait()
		version(t, c, "late")
		time.Sleep(time.Second)
		require.InDelta(t, 1000, w.total()-before, 100, "1,000 a second")
		time.Sleep(3 * time.Second)
		require.Equal(t, tenants+1, w.total()-before)
		for i := range tenants {
			require.Equal(t, uint64(2), version(t, c, fmt.Sprintf("t%d", i)))
		}
		require.LessOrEqual(t, w.atOnce(), 8)
	})
}

func TestASweepGivesUpWhenTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched()
		c := newCache(t, w)
		for i := range 1000 {
			id := fmt.Sprintf("t%d", i)
			w.set(tenant.Config{ID: id, Replicas: 3, Version: 1})
			version(t, c, id)
		}
		time.Sleep(2 * time.Second)
		w.fail(errDown)
		before := w.total()
		w.tell <- ""
		time.Sleep(10 * time.Second)
		require.Less(t, w.total()-before, 50)
		w.fail(nil)
		w.bump("t7")
		version(t, c, "t7")
		synctest.Wait()
		require.Equal(t, uint64(2), version(t, c, "t7"), "it stays due")
	})
}

func TestAWatchThatBreaksIsBegunAgainAndCoversWhatWasMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched("acme")
		c := newCache(t, w)
		version(t, c, "acme")
		synctest.Wait()
		for range 3 {
			watches := len(w.watches)
			w.broken <- errors.New("broken pipe")
			want := w.bump("acme")
			time.Sleep(200 * time.Millisecond)
			require.Len(t, w.watches, watches+1)
			require.Equal(t, want.Version, version(t, c, "acme"))
		}
	})
}

func TestAWatchThatCannotBeginIsTriedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched("acme")
		w.deaf = true
		c := newCache(t, w)
		version(t, c, "acme")
		time.Sleep(1000 * time.Second)
		require.Greater(t, len(w.watches), 100, "at least every 10 s")
		require.Less(t, len(w.watches), 230, "at most every 5 s, once it has slowed down")
	})
}
