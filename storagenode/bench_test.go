//go:build unix

package storagenode

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// A bench is a node on Pebble that operations reach in frames, as those of one coordinator do.
type bench struct {
	core  *node.Core
	keys  int
	stamp atomic.Uint64
}

func newBench(b *testing.B, keys int, cache int64) *bench {
	engine, err := openPebble(pebbleConfig{dir: b.TempDir(), fs: vfs.Default, cache: cache, log: slog.New(slog.DiscardHandler), slow: time.Minute})
	require.NoError(b, err)
	core, err := node.New(engine, Identity{Cluster: "c", Node: "n"}, node.Config{CacheBytes: int(cache)})
	require.NoError(b, err)
	b.Cleanup(func() {
		core.Close()
		require.NoError(b, engine.Close())
	})
	t := &bench{core: core, keys: keys}
	t.stamp.Store(uint64(vclock.StampAt(time.Now().Add(-time.Second))))
	const each = 500
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for from := g * each; from < keys; from += 4 * each {
				var ops []*wire.Operation
				for i := from; i < min(keys, from+each); i++ {
					ops = append(ops, t.op(storagepb.Kind_MERGE, i))
				}
				t.do(b, ops)
			}
		})
	}
	wait.Wait()
	return t
}

func (t *bench) op(kind storagepb.Kind, key int) *wire.Operation {
	op := &wire.Operation{Tenant: "tenant", Key: fmt.Appendf(nil, "key-%08d", key), Kind: kind}
	if kind == storagepb.Kind_MERGE {
		dot := vclock.Dot{Actor: 0x123456789abcdef0, Stamp: vclock.Stamp(t.stamp.Add(1))}
		op.State = vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: make([]byte, 100)})
	}
	return op
}

func (t *bench) do(b *testing.B, ops []*wire.Operation) {
	for _, a := range t.core.DoAll(ops) {
		if a.Status != storagepb.Status_OK {
			b.Error(a.Status, a.Detail)
			return
		}
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFrames tells what an operation takes of the processor, by the size of the store. The last one's caches have
// the share of it that the default's have of a store of ten million keys.
func BenchmarkFrames(b *testing.B) {
	for _, store := range []struct {
		keys  int
		cache int64
	}{{10_000, defaultCache}, {100_000, defaultCache}, {1_000_000, defaultCache}, {200_000, 5 << 20}} {
		b.Run(fmt.Sprintf("%d in %d MiB", store.keys, store.cache>>20), func(b *testing.B) {
			t := newBench(b, store.keys, store.cache)
			for _, kind := range []storagepb.Kind{storagepb.Kind_READ_STATE, storagepb.Kind_READ_DIGEST, storagepb.Kind_MERGE} {
				b.Run(kind.String(), func(b *testing.B) { t.frames(b, kind, 4, 64) })
			}
		})
	}
}

func (t *bench) frames(b *testing.B, kind storagepb.Kind, streams, frame int) {
	var left atomic.Int64
	left.Store(int64(b.N))
	syncs := t.core.Stats().Syncs
	began := cpuTime()
	b.ResetTimer()
	var wait sync.WaitGroup
	for g := range streams {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(g)))
			for left.Add(-int64(frame)) > -int64(frame) {
				ops := make([]*wire.Operation, frame)
				for i := range ops {
					ops[i] = t.op(kind, random.IntN(t.keys))
				}
				t.do(b, ops)
			}
		})
	}
	wait.Wait()
	b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(t.core.Stats().Syncs-syncs)/b.Elapsed().Seconds(), "syncs/s")
}

// BenchmarkOneMerge is one caller: it waits for the disk each time.
func BenchmarkOneMerge(b *testing.B) {
	t := newBench(b, 10_000, defaultCache)
	t.frames(b, storagepb.Kind_MERGE, 1, 1)
}
