package vclock

import (
	"runtime"
	"testing"
)

// withAHeap gives a benchmark that allocates a large heap, of which no byte is touched.
// With the few bytes of a test the collector runs every few milliseconds; and what a benchmark
// leaves behind is much of a small heap, so that it goes back to the operating system after
// each round, and a third of what is measured would be page faults of the next.
func withAHeap(b *testing.B) {
	b.Helper()
	heap := make([]byte, 512<<20)
	b.Cleanup(func() { runtime.KeepAlive(heap) })
	runtime.GC()
	b.ReportAllocs()
}

// The first two writes to a key, neither of which saw the other: both survive.
func BenchmarkJoinOfTwoWrites(b *testing.B) {
	benchmarkJoin(b, causalWrite(nil, Dot{1, 1}), causalWrite(nil, Dot{2, 2}))
}

// The same where both saw the writes of three other actors.
func BenchmarkJoinOfTwoWrites3(b *testing.B) {
	benchmarkJoin(b, causalWrite(benchClock(3), Dot{1, 1}), causalWrite(benchClock(3), Dot{2, 2}))
}

// What a node does at each write by a key's one writer.
func BenchmarkJoinSuperseding(b *testing.B) {
	held := causalWrite(nil, Dot{1, 1})
	benchmarkJoin(b, held, causalWrite(held.Clock, Dot{1, 2}))
}

func BenchmarkJoinSuperseding3(b *testing.B) {
	held := causalWrite(benchClock(3), Dot{1, 1})
	benchmarkJoin(b, held, causalWrite(held.Clock, Dot{2, 2}))
}

// What a coordinator does with the second of two answers of a read.
func BenchmarkJoinSame(b *testing.B) {
	benchmarkJoin(b, causalWrite(nil, Dot{1, 1}), causalWrite(nil, Dot{1, 1}))
}

func BenchmarkJoinSame3(b *testing.B) {
	benchmarkJoin(b, causalWrite(benchClock(3), Dot{1, 1}), causalWrite(benchClock(3), Dot{1, 1}))
}

func BenchmarkJoinLastWriteWins(b *testing.B) {
	x := WriteState(LastWriteWins, nil, Sibling{Dot: Dot{1, 1}})
	y := WriteState(LastWriteWins, nil, Sibling{Dot: Dot{2, 2}})
	withAHeap(b)
	for b.Loop() {
		Join(LastWriteWins, x, y)
	}
}

func benchmarkJoin(b *testing.B, x, y State) {
	withAHeap(b)
	for b.Loop() {
		Join(Causal, x, y)
	}
}

var sinkState State

func BenchmarkWriteState(b *testing.B) {
	ctx := benchClock(1)
	s := Sibling{Dot: Dot{ctx[0].Actor, 2}, Value: make([]byte, 100)}
	withAHeap(b)
	for b.Loop() {
		sinkState = WriteState(Causal, ctx, s)
	}
}

func BenchmarkValidate(b *testing.B) {
	s := causalWrite(benchClock(3), Dot{1, 1})
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Validate(Causal)
	}
}

func BenchmarkEqual(b *testing.B) {
	x, y := causalWrite(benchClock(3), Dot{1, 1}), causalWrite(benchClock(3), Dot{1, 1})
	b.ReportAllocs()
	for b.Loop() {
		x.Equal(y)
	}
}

func BenchmarkDigest1(b *testing.B)  { benchmarkDigest(b, causalWrite(nil, Dot{1, 1})) }
func BenchmarkDigest3(b *testing.B)  { benchmarkDigest(b, causalWrite(benchClock(2), Dot{1, 1})) }
func BenchmarkDigest50(b *testing.B) { benchmarkDigest(b, causalWrite(benchClock(49), Dot{1, 1})) }

func benchmarkDigest(b *testing.B, s State) {
	b.ReportAllocs()
	for b.Loop() {
		s.Digest()
	}
}

func benchStored() (State, []byte) {
	const actor, stamp = 0x9e3779b97f4a7c00, 1_800_000_000_000 << counterBits
	s := causalWrite(Clock{{actor - 1<<40, stamp - 2}, {actor - 1<<30, stamp - 1}}, Dot{actor, stamp})
	s.Siblings[0].Value = make([]byte, 100)
	return s, AppendState(nil, Causal, s)
}

func BenchmarkAppendState(b *testing.B) {
	s, buf := benchStored()
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendState(buf[:0], Causal, s)
	}
}

func BenchmarkDecodeState(b *testing.B) {
	_, stored := benchStored()
	withAHeap(b)
	for b.Loop() {
		_, sinkState, _ = DecodeState(stored)
	}
}
