//go:build !race

package vclock

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// unlike returns a clock equal to c in other memory, so that no shortcut applies.
func unlike(c Clock) Clock { return append(Clock(nil), c...) }

func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, n := range []int{1, 3, digestDots, 50} {
		c := benchClock(n)
		same, later := unlike(c), c.With(Dot{c[n-1].Actor, 1_000})
		d := Dot{c[n/2].Actor, 1}
		s, z := causalWrite(c, c[0]), causalWrite(later, c[n-1])
		x, y := WriteState(LastWriteWins, nil, s.Siblings[0]), WriteState(LastWriteWins, nil, z.Siblings[0])
		scope, stored := "key", AppendState(nil, Causal, s)
		m, next := newTestMinter(4)
		last := Clock{mintOnce(m, 1, nil, next())}
		for name, f := range map[string]func(){
			"Compare":                 func() { c.Compare(same); c.Compare(later) },
			"Clock.Covers":            func() { c.Covers(d) },
			"CoversAll":               func() { later.CoversAll(c) },
			"With":                    func() { c.With(d) },
			"Clock.Join":              func() { c.Join(same); c.Join(later); later.Join(c) },
			"Join":                    func() { Join(Causal, s, z); Join(Causal, z, s); Join(Causal, s, s) },
			"Join of last write wins": func() { Join(LastWriteWins, x, y); Join(LastWriteWins, y, x) },
			"Digest":                  func() { s.Digest() },
			"Equal":                   func() { s.Equal(z) },
			"State.Covers":            func() { s.Covers(Causal, d); x.Covers(LastWriteWins, d) },
			"Validate":                func() { _ = s.Validate(Causal) },
			"AppendState":             func() { stored = AppendState(stored[:0], Causal, s) },
			"Scope":                   func() { Scope("c", "t", scope) },
			"Mint":                    func() { last[0] = mintOnce(m, 1, last, next()) },
		} {
			require.Zero(t, testing.AllocsPerRun(100, f), "%s of %d", name, n)
		}
	}
}

func TestAStateThatIsMadeTakesOnePieceOfMemoryForItsClockAndOneForItsSiblings(t *testing.T) {
	for _, n := range []int{1, 3, 50} {
		c := benchClock(n)
		a, b := causalWrite(c, Dot{1, 1}), causalWrite(c, Dot{2, 1})
		s, stored := a.Siblings[0], AppendState(nil, Causal, a)
		for name, f := range map[string]func(){
			"the join of two writes": func() { sinkState = Join(Causal, a, b) },
			"a write":                func() { sinkState = WriteState(Causal, c, s) },
			"a stored state":         func() { _, sinkState, _ = DecodeState(stored) },
		} {
			require.Equal(t, 2.0, testing.AllocsPerRun(100, f), "%s, clocks of %d", name, n)
		}
	}
	only := Sibling{Dot: Dot{1, 1}}
	require.Equal(t, 1.0, testing.AllocsPerRun(100, func() { sinkState = WriteState(LastWriteWins, nil, only) }))
	full, next := newTestMinter(4)
	for k := range 4 {
		mintOnce(full, k, nil, next())
	}
	k := 4
	require.Zero(t, testing.AllocsPerRun(100, func() { mintOnce(full, k, nil, next()); k++ }), "a key that takes another's place")
}
