package pairdb_test

import (
	"context"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
)

// lookups is the load of a service with many customers.
const lookupTenants, lookupCallers = 1000, 64

// newTenantCache returns a cache on a store in memory that has the tenants. Nobody is told of changes, since what was
// loaded before one begins to listen is loaded again.
func newTenantCache(tb testing.TB, ids []string) *tenant.Cache {
	tb.Helper()
	memory, err := tenant.NewMemory()
	require.NoError(tb, err)
	for _, id := range ids {
		_, err := memory.Create(context.Background(), tenant.Config{ID: id})
		require.NoError(tb, err)
	}
	store := struct{ tenant.Store }{memory}
	cache, err := tenant.NewCache(store)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = cache.Close() })
	return cache
}

// A Get that ends when its owners are found does all of its work on the caller's goroutine, so that each of its
// allocations can be counted: nothing else runs.
func TestAGetThroughACacheAllocatesWhatOneThroughTenantAnyDoes(t *testing.T) {
	source := pairdbtest.New(t, 3).Source()
	count := func(r tenant.Reader) (get, lookup float64) {
		dialled := make(chan struct{}, 3)
		nowhere := pairdb.WithDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			dialled <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		client, err := pairdb.Open(t.Context(), source, pairdb.WithTenants(r), nowhere)
		require.NoError(t, err)
		defer closeSoon(client)
		for range cap(dialled) {
			<-dialled
		}
		shop, id, deadline := client.Tenant("tenant-0"), "tenant-0", time.Now().Add(time.Hour)
		failure := pairdb.AtLevel(pairdb.Level(200)) // refused once the owners are known
		_, err = shop.Get(t.Context(), "k", failure)
		require.ErrorIs(t, err, pairdb.ErrInvalid)
		return testing.AllocsPerRun(1000, func() { _, _ = shop.Get(t.Context(), "k", failure) }),
			testing.AllocsPerRun(1000, func() { _, _ = client.LookUpTenant(t.Context(), id, deadline) })
	}
	get, lookup := count(tenant.Any())
	cachedGet, cachedLookup := count(newTenantCache(t, []string{"tenant-0"}))
	t.Logf("tenant.Any: %v in the whole Get, %v in its lookup; a cache: %v and %v", get, lookup, cachedGet, cachedLookup)
	require.Equal(t, get, cachedGet)
	require.Zero(t, lookup)
	require.Zero(t, cachedLookup)
}

func TestSixtyFourCallersOfAThousandTenantsLoadEachOfThemOnce(t *testing.T) {
	ids := tenantIDs(lookupTenants)
	cache := newTenantCache(t, ids)
	client := pairdbtest.New(t, 3).Client(t, pairdb.WithTenants(cache))
	const each = 5000
	var all sync.WaitGroup
	for caller := range lookupCallers {
		all.Go(func() {
			for i := range each {
				id := ids[(caller+7*i)%len(ids)]
				if c, err := client.LookUpTenant(context.Background(), id, time.Time{}); err != nil || c.ID != id {
					t.Errorf("%s: %v %v", id, c.ID, err)
					return
				}
			}
		})
	}
	all.Wait()
	stats := cache.Stats()
	require.EqualValues(t, lookupTenants, stats.Loads)
	require.EqualValues(t, lookupCallers*each, stats.Hits+stats.Misses)
	t.Logf("%d lookups of %d tenants by %d callers, from an empty cache: %d loads, %.2f %% hits",
		lookupCallers*each, lookupTenants, lookupCallers, stats.Loads, hitRatio(stats))
}

func hitRatio(s tenant.CacheStats) float64 { return float64(s.Hits) / float64(s.Hits+s.Misses) * 100 }

// lookupReaders are the readers to compare; the cache is nil for those that are none.
func lookupReaders(b *testing.B, ids []string) (readers map[string]tenant.Reader, cache *tenant.Cache) {
	b.Helper()
	configs := make([]tenant.Config, len(ids))
	for i, id := range ids {
		configs[i] = tenant.Config{ID: id}
	}
	static, err := tenant.Static(configs...)
	require.NoError(b, err)
	cache = newTenantCache(b, ids)
	return map[string]tenant.Reader{"any": tenant.Any(), "static": static, "cache": cache}, cache
}

// BenchmarkTenantLookup is what the lookup of its tenant adds to a request, with 64 callers of 1,000 tenants at once:
// ns/lookup on one processor, and ns/op from one lookup to the next on all of them together. Run it with -cpu 1,2 where
// others use the machine.
func BenchmarkTenantLookup(b *testing.B) {
	ids := tenantIDs(lookupTenants)
	for _, name := range []string{"any", "static", "cache"} {
		b.Run(name, func(b *testing.B) {
			readers, cache := lookupReaders(b, ids)
			client := pairdbtest.New(b, 3).Client(b, pairdb.WithTenants(readers[name]))
			deadline := time.Now().Add(time.Hour)
			for _, id := range ids {
				_, err := client.LookUpTenant(b.Context(), id, deadline)
				require.NoError(b, err)
			}
			processors := runtime.GOMAXPROCS(0)
			b.SetParallelism((lookupCallers + processors - 1) / processors)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i += 7 {
					if _, err := client.LookUpTenant(context.Background(), ids[i%len(ids)], deadline); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())*float64(processors)/float64(b.N), "ns/lookup")
			if name == "cache" {
				b.ReportMetric(hitRatio(cache.Stats()), "%hits")
			}
		})
	}
}

// BenchmarkTenantLookupOfAGet is a whole Get with each reader, by 64 callers of 1,000 tenants, for the allocations and for
// a sense of proportion.
func BenchmarkTenantLookupOfAGet(b *testing.B) {
	ids := tenantIDs(lookupTenants)
	for _, name := range []string{"any", "cache"} {
		b.Run(name, func(b *testing.B) {
			readers, cache := lookupReaders(b, ids)
			client := pairdbtest.New(b, 3).Client(b, pairdb.WithTenants(readers[name]))
			require.NoError(b, client.Ready(b.Context()))
			tenants := make([]*pairdb.Tenant, len(ids))
			for i, id := range ids {
				tenants[i] = client.Tenant(id)
				_, err := tenants[i].Put(b.Context(), "k", make([]byte, 100), pairdb.NoContext())
				require.NoError(b, err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			runCallers(b, lookupCallers, func(i int) error {
				_, err := tenants[i%len(tenants)].Get(context.Background(), "k")
				return err
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			if name == "cache" {
				b.ReportMetric(hitRatio(cache.Stats()), "%hits")
			}
		})
	}
}
