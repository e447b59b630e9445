package vclock

import (
	"math/rand/v2"
	"runtime"
	"testing"
)

func benchClock(n int) Clock {
	c := make(Clock, n)
	for i := range c {
		c[i] = Dot{Actor: Actor(i+1) * 0x9e3779b97f00, Stamp: Stamp(i + 1)}
	}
	return c
}

// Clocks of the same actors, of which one has seen a later write of the last:
// every entry is looked at.
func BenchmarkCompare3(b *testing.B)  { benchmarkCompare(b, benchClock(3), laterClock(3)) }
func BenchmarkCompare50(b *testing.B) { benchmarkCompare(b, benchClock(50), laterClock(50)) }

// Equal clocks in different memory.
func BenchmarkCompareEqual3(b *testing.B)  { benchmarkCompare(b, benchClock(3), benchClock(3)) }
func BenchmarkCompareEqual50(b *testing.B) { benchmarkCompare(b, benchClock(50), benchClock(50)) }

// One knows an actor that the other does not, and it comes first of all.
func BenchmarkCompareFewer3(b *testing.B)  { benchmarkCompare(b, benchClock(3), benchClock(3)[1:]) }
func BenchmarkCompareFewer50(b *testing.B) { benchmarkCompare(b, benchClock(50), benchClock(50)[1:]) }

func laterClock(n int) Clock {
	c := benchClock(n)
	c[n-1].Stamp = 1_000
	return c
}

func benchmarkCompare(b *testing.B, c, o Clock) {
	b.ReportAllocs()
	for b.Loop() {
		c.Compare(o)
	}
}

func BenchmarkCovers3(b *testing.B)  { benchmarkCovers(b, benchClock(3)) }
func BenchmarkCovers50(b *testing.B) { benchmarkCovers(b, benchClock(50)) }

func benchmarkCovers(b *testing.B, c Clock) {
	d := c[len(c)-1]
	b.ReportAllocs()
	for b.Loop() {
		c.Covers(d)
	}
}

// A key's one writer goes on.
func BenchmarkWith(b *testing.B) {
	withAHeap(b)
	c := benchClock(1)
	for b.Loop() {
		c.With(Dot{c[0].Actor, 2})
	}
}

func BenchmarkHLC(b *testing.B) {
	var h HLC
	b.ReportAllocs()
	for b.Loop() {
		h.Next(1)
	}
}

func BenchmarkMintHit(b *testing.B) {
	m, next := newTestMinter(1 << 16)
	ctx := Clock{mintOnce(m, 1, nil, next())}
	b.ReportAllocs()
	for b.Loop() {
		ctx[0] = mintOnce(m, 1, ctx, next())
	}
}

// The memory is full, and the keys written are any of those in it.
func BenchmarkMintHitOfMany(b *testing.B) {
	const keys = 1 << 16
	m, next := newTestMinter(keys)
	last := make(Clock, keys)
	for k := range keys {
		last[k] = mintOnce(m, k, nil, next())
	}
	random := rand.NewPCG(3, 4)
	b.ReportAllocs()
	for b.Loop() {
		k := int(random.Uint64() % keys)
		last[k] = mintOnce(m, k, last[k:k+1], next())
	}
}

// The memory is full, and every key written is one that it does not know.
func BenchmarkMintMiss(b *testing.B) {
	const keys = 1 << 16
	m, next := newTestMinter(keys)
	for k := range keys {
		mintOnce(m, k, nil, next())
	}
	k := keys
	b.ReportAllocs()
	for b.Loop() {
		mintOnce(m, k, nil, next())
		k++
	}
}

// What a full memory costs each cycle of the collector.
func BenchmarkCollectAFullMinter(b *testing.B) {
	const keys = 1 << 16
	m, next := newTestMinter(keys)
	for k := range keys {
		mintOnce(m, k, nil, next())
	}
	for b.Loop() {
		runtime.GC()
	}
	runtime.KeepAlive(m)
}
