package tenant_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

func TestATenantAtHandInACacheCostsNoAllocation(t *testing.T) {
	c := newCache(t, newMemory(t, tenant.Config{ID: "acme"}))
	ctx := context.Background()
	_, err := c.Get(ctx, "acme")
	require.NoError(t, err)
	ids := []string{"acme", "nobody"}
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = c.AtHand(ids[0]) }))
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = c.AtHand(ids[1]) }))
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = c.Get(ctx, ids[0]) }))
}

// BenchmarkCache has 64 callers look up 1,000 tenants. ns/op is the time from one lookup to the next
// on all processors together.
func BenchmarkCache(b *testing.B) {
	const tenants, callers = 1000, 64
	ids := make([]string, tenants)
	configs := make([]tenant.Config, tenants)
	for i := range ids {
		ids[i] = fmt.Sprintf("tenant-%d", i)
		configs[i] = tenant.Config{ID: ids[i]}
	}
	ctx := context.Background()
	for name, lookup := range map[string]func(*tenant.Cache, string) bool{
		"AtHand": func(c *tenant.Cache, id string) bool { _, ok := c.AtHand(id); return ok },
		"Get":    func(c *tenant.Cache, id string) bool { _, err := c.Get(ctx, id); return err == nil },
	} {
		b.Run(name, func(b *testing.B) {
			c := newCache(b, newMemory(b, configs...))
			for _, id := range ids {
				_, err := c.Get(ctx, id)
				require.NoError(b, err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					at := rand.IntN(tenants)
					for range b.N / callers {
						at = (at + 7) % tenants
						if !lookup(c, ids[at]) {
							b.Error("a tenant is not served")
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			stats := c.Stats()
			b.ReportMetric(float64(stats.Hits)/float64(stats.Hits+stats.Misses)*100, "%hits")
		})
	}
}
