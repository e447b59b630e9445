package pairdb_test

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

// The allocations that these report are of the whole process: the nodes run in it,
// and gRPC on both sides. Compare them with each other, not with zero.

const benchmarkKeys = 4096

// benchmark makes calls from 1, 64 and 256 goroutines, on keys that hold a value.
func benchmark(b *testing.B, newCall func(*pairdb.Tenant, pairdb.PutResults) func(ctx context.Context, i int) error) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			c := pairdbtest.New(b, 3)
			client := c.Client(b)
			require.NoError(b, client.Ready(b.Context()))
			t := client.Tenant("bench")
			var items []pairdb.Item
			for i := range benchmarkKeys {
				items = append(items, pairdb.Item{Key: benchmarkKey(i), Value: make([]byte, 100)})
			}
			stored := t.PutMany(b.Context(), items, pairdb.NoContext())
			require.NoError(b, stored.FirstErr())
			call := newCall(t, stored)
			b.ReportAllocs()
			b.ResetTimer()
			runCallers(b, callers, func(i int) error { return call(b.Context(), i) })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

func benchmarkKey(i int) string { return "key/" + strconv.Itoa(i%benchmarkKeys) }

// runCallers makes b.N calls from as many goroutines.
func runCallers(b *testing.B, callers int, call func(i int) error) {
	var next atomic.Int64
	errs := make(chan error, callers)
	for range callers {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					errs <- nil
					return
				}
				if err := call(i); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkPutAfter is one round trip: each write replaces the one before it.
func BenchmarkPutAfter(b *testing.B) {
	value := make([]byte, 100)
	benchmark(b, func(t *pairdb.Tenant, stored pairdb.PutResults) func(context.Context, int) error {
		last := make([]atomic.Pointer[pairdb.CausalContext], benchmarkKeys)
		for i := range last {
			last[i].Store(&stored[i].Receipt.Context)
		}
		return func(ctx context.Context, i int) error {
			of := &last[i%benchmarkKeys]
			r, err := t.Put(ctx, benchmarkKey(i), value, pairdb.After(*of.Load()))
			if err == nil {
				of.Store(&r.Context)
			}
			return err
		}
	})
}

// BenchmarkPut is two round trips: the clock is read first.
func BenchmarkPut(b *testing.B) {
	value := make([]byte, 100)
	benchmark(b, func(t *pairdb.Tenant, _ pairdb.PutResults) func(context.Context, int) error {
		return func(ctx context.Context, i int) error {
			_, err := t.Put(ctx, benchmarkKey(i), value)
			return err
		}
	})
}

// BenchmarkGet reads one state and one digest.
func BenchmarkGet(b *testing.B) {
	benchmark(b, func(t *pairdb.Tenant, _ pairdb.PutResults) func(context.Context, int) error {
		return func(ctx context.Context, i int) error {
			_, err := t.Get(ctx, benchmarkKey(i))
			return err
		}
	})
}
