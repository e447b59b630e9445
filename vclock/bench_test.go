package vclock

import (
	"fmt"
	"testing"
)

func benchClock(n int) Clock {
	c := make(Clock, n)
	for i := range c {
		c[i] = Dot{Actor: Actor(i+1) * 0x9e3779b97f00, Stamp: Stamp(i + 1)}
	}
	return c
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{3, 50} {
		c := benchClock(n)
		for name, o := range map[string]Clock{
			"equal":  append(Clock(nil), c...),
			"before": c.With(Dot{c[n-1].Actor, 1_000}),
			"fewer":  append(Clock(nil), c[:n-1]...),
		} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				for b.Loop() {
					c.Compare(o)
				}
			})
		}
	}
}

func BenchmarkCovers(b *testing.B) {
	for _, n := range []int{3, 50} {
		c := benchClock(n)
		d := c[n-1]
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				c.Covers(d)
			}
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	c := benchClock(3)
	old := causalWrite(c, Dot{1, 1})
	for name, s := range map[string]State{
		"superseding": causalWrite(old.Clock, Dot{2, 2}),
		"concurrent":  causalWrite(c, Dot{2, 2}),
		"same":        causalWrite(c, Dot{1, 1}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Join(Causal, old, s)
			}
		})
	}
}

func BenchmarkDigest(b *testing.B) {
	for _, n := range []int{3, 50} {
		s := causalWrite(benchClock(n), Dot{1, 1})
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Digest()
			}
		})
	}
}

func BenchmarkMint(b *testing.B) {
	m, next := newTestMinter(1 << 16)
	b.Run("hit", func(b *testing.B) {
		b.ReportAllocs()
		ctx := Clock{mintOnce(m, 1, nil, next())}
		for b.Loop() {
			ctx[0] = mintOnce(m, 1, ctx, next())
		}
	})
	b.Run("miss", func(b *testing.B) {
		b.ReportAllocs()
		k := 2
		for b.Loop() {
			mintOnce(m, k, nil, next())
			k++
		}
	})
}

func BenchmarkStateCodec(b *testing.B) {
	s := causalWrite(benchClock(3), Dot{1, 1})
	s.Siblings[0].Value = make([]byte, 100)
	stored := AppendState(nil, Causal, s)
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		buf := stored
		for b.Loop() {
			buf = AppendState(buf[:0], Causal, s)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, _ = DecodeState(stored)
		}
	})
}
