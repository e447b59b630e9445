//go:build !race

package vclock

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// unlike returns a clock equal to c in other memory, so that no shortcut applies.
func unlike(c Clock) Clock { return append(Clock(nil), c...) }

func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, n := range []int{3, 50} {
		c := benchClock(n)
		same, later := unlike(c), c.With(Dot{c[n-1].Actor, 1_000})
		d := Dot{c[n/2].Actor, 1}
		s, z := causalWrite(c, c[0]), causalWrite(later, c[n-1])
		scope := "key"
		m, next := newTestMinter(4)
		last := Clock{mintOnce(m, 1, nil, next())}
		for name, f := range map[string]func(){
			"Compare":   func() { c.Compare(same); c.Compare(later) },
			"Covers":    func() { c.Covers(d) },
			"CoversAll": func() { later.CoversAll(c) },
			"With":      func() { c.With(d) },
			"Join":      func() { Join(Causal, s, z); Join(Causal, z, s) },
			"Digest":    func() { s.Digest() },
			"Equal":     func() { s.Equal(z) },
			"Scope":     func() { Scope("c", "t", scope) },
			"Mint":      func() { last[0] = mintOnce(m, 1, last, next()) },
		} {
			require.Zero(t, testing.AllocsPerRun(100, f), "%s of %d", name, n)
		}
	}
}

func TestJoinOfTwoWritesAllocatesAtMostTwice(t *testing.T) {
	a, b := causalWrite(benchClock(3), Dot{1, 1}), causalWrite(benchClock(3), Dot{2, 1})
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { Join(Causal, a, b) }), 2.0)
}
