//go:build unix

package node

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// traffic makes frames of operations on keys of its own, as one coordinator sends them.
type traffic struct {
	keys  [][]byte
	value []byte
	stamp vclock.Stamp
	seen  []vclock.Stamp // by key: the last write
	ops   []*wire.Operation
	done  collect
}

func newTraffic(keys, frame int) *traffic {
	t := &traffic{value: make([]byte, 100), stamp: vclock.StampAt(epoch), seen: make([]vclock.Stamp, keys), done: make(collect, frame)}
	for i := range keys {
		t.keys = append(t.keys, fmt.Appendf(nil, "key-%08d", i))
	}
	for range frame {
		t.ops = append(t.ops, &wire.Operation{
			Tenant: "tenant", TimeoutMs: 60_000, Key: make([]byte, 12),
			State: vclock.State{Clock: make(vclock.Clock, 1), Siblings: make([]vclock.Sibling, 1)},
		})
	}
	return t
}

// next fills the frame with operations of one kind on keys from the function.
func (t *traffic) next(kind storagepb.Kind, pick func() int) {
	for _, op := range t.ops {
		k := pick()
		op.Kind = kind
		copy(op.Key, t.keys[k]) // as it comes in a frame: at hand
		if kind == storagepb.Kind_MERGE {
			t.stamp++
			dot := vclock.Dot{Actor: 0x123456789abcdef0, Stamp: t.stamp}
			op.State.Clock[0] = dot
			op.State.Siblings[0] = vclock.Sibling{Dot: dot, Value: t.value}
		}
	}
}

func (t *traffic) run(c *Core) {
	c.run(t.ops, time.Now(), t.done)
	for got := 0; got < len(t.ops); got += len(<-t.done) {
	}
}

// fill stores every key once.
func (t *traffic) fill(c *Core) {
	n := 0
	for n < len(t.keys) {
		t.next(storagepb.Kind_MERGE, func() int { n++; return (n - 1) % len(t.keys) })
		t.run(c)
	}
}

func BenchmarkFrames(b *testing.B) {
	for _, frame := range []int{64, 256} {
		for _, kind := range []storagepb.Kind{storagepb.Kind_MERGE, storagepb.Kind_READ_STATE, storagepb.Kind_READ_DIGEST} {
			b.Run(fmt.Sprintf("%v/%d", kind, frame), func(b *testing.B) {
				c, err := New(NewMemory(), here, Config{NoSync: true, Now: func() time.Time { return epoch.Add(time.Since(started)) }})
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				t := newTraffic(100_000, frame)
				t.fill(c)
				random := rand.New(rand.NewPCG(1, 2))
				b.ReportAllocs()
				began := cpuTime()
				for b.Loop() {
					t.next(kind, func() int { return random.IntN(len(t.keys)) })
					t.run(c)
				}
				b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(b.N)/float64(frame), "cpu-ns/operation")
			})
		}
	}
}

var started = time.Now()

// cpuTime is what the process has used of the processor: on a machine with other work, it tells more than the time that passed.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
