package peers_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/peers"
)

// BenchmarkPeers is a quick look at one peer: go test -bench 'Peers/floor-tcp'. What
// compares is the program of this module, which measures all in turns.
func BenchmarkPeers(b *testing.B) {
	for _, p := range peers.All() {
		b.Run(p.Name, func(b *testing.B) {
			store, _ := start(b, p, b.TempDir())
			keys := make([]string, 10_000)
			value := make([]byte, 100)
			for i := range keys {
				keys[i] = fmt.Sprintf("key-%08d", i)
			}
			ctx := context.Background()
			for _, callers := range []int{1, 64, 256} {
				b.Run(fmt.Sprintf("put/callers=%d", callers), func(b *testing.B) {
					inParallel(b, callers, func(i int) error { return store.Put(ctx, keys[i%len(keys)], value) })
				})
				b.Run(fmt.Sprintf("get/callers=%d", callers), func(b *testing.B) {
					require.NoError(b, store.Put(ctx, "key", value))
					inParallel(b, callers, func(int) error { _, err := store.Get(ctx, "key"); return err })
				})
			}
		})
	}
}

// inParallel does the operation b.N times from so many goroutines.
func inParallel(b *testing.B, callers int, do func(i int) error) {
	b.ReportAllocs()
	errs := make(chan error, callers)
	for c := range callers {
		go func() {
			for i := c; i < b.N; i += callers {
				if err := do(i); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range callers {
		require.NoError(b, <-errs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}
