package vclock

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCompareHasFourOutcomes(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b Clock
		want Order
	}{
		{"both empty", nil, Clock{}, Equal},
		{"same entries", Clock{{1, 5}, {2, 6}}, Clock{{1, 5}, {2, 6}}, Equal},
		{"empty and not", nil, Clock{{1, 5}}, Before},
		{"an older entry", Clock{{1, 4}, {2, 6}}, Clock{{1, 5}, {2, 6}}, Before},
		{"an entry less", Clock{{2, 6}}, Clock{{1, 5}, {2, 6}}, Before},
		{"a later entry", Clock{{1, 9}, {2, 6}}, Clock{{1, 5}, {2, 6}}, After},
		{"an entry more", Clock{{1, 5}, {2, 6}, {3, 1}}, Clock{{1, 5}, {2, 6}}, After},
		{"later here, older there", Clock{{1, 9}, {2, 5}}, Clock{{1, 5}, {2, 6}}, Concurrent},
		{"different actors", Clock{{1, 9}}, Clock{{2, 9}}, Concurrent},
		{"one entry more, one older", Clock{{1, 5}, {2, 5}}, Clock{{2, 6}}, Concurrent},
	} {
		require.Equal(t, c.want, c.a.Compare(c.b), c.name)
	}
}

// seen is the naive clock.
type seen map[Actor]Stamp

func (s seen) covers(o seen) bool {
	for a, stamp := range o {
		if s[a] < stamp {
			return false
		}
	}
	return true
}

func (s seen) clock() Clock {
	var c Clock
	for _, a := range slices.Sorted(maps.Keys(s)) {
		c = append(c, Dot{Actor: a, Stamp: s[a]})
	}
	return c
}

var seenClocks = rapid.Custom(func(t *rapid.T) seen {
	// Few actors make clocks that meet, many make clocks that are searched by halves.
	actors := rapid.SampledFrom([]uint64{4, 40}).Draw(t, "actors")
	return rapid.MapOf(
		rapid.Map(rapid.Uint64Range(1, actors), func(n uint64) Actor { return Actor(n) }),
		rapid.Map(rapid.Uint64Range(1, 4), func(n uint64) Stamp { return Stamp(n) }),
	).Draw(t, "seen")
})

func TestClocksAgreeWithMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, n := seenClocks.Draw(t, "m"), seenClocks.Draw(t, "n")
		if rapid.Bool().Draw(t, "grow n from m") {
			for a, s := range m {
				n[a] = max(n[a], s)
			}
		}
		a, b := m.clock(), n.clock()
		before, after := n.covers(m), m.covers(n)
		require.Equal(t, orderOf(!after, !before), a.Compare(b))
		require.Equal(t, after, a.CoversAll(b))

		d := Dot{Actor: Actor(rapid.Uint64Range(0, 42).Draw(t, "actor")), Stamp: Stamp(rapid.Uint64Range(0, 5).Draw(t, "stamp"))}
		require.Equal(t, m[d.Actor], a.Stamp(d.Actor))
		require.Equal(t, d.Stamp <= m[d.Actor], a.Covers(d))

		joined := maps.Clone(m)
		for actor, s := range n {
			joined[actor] = max(joined[actor], s)
		}
		require.True(t, slices.Equal(joined.clock(), a.Join(b)))
		require.NoError(t, a.Join(b).Validate())
		if d.Stamp > m[d.Actor] {
			m[d.Actor] = d.Stamp
		}
		require.True(t, slices.Equal(m.clock(), a.With(d)))
		require.Equal(t, slices.Max(append(slices.Collect(maps.Values(m)), 0)), a.With(d).Newest())
	})
}

func TestClocksThatNeedNotGrowAreReturnedThemselves(t *testing.T) {
	small, large := Clock{{1, 5}}, Clock{{1, 6}, {2, 6}}
	require.Same(t, &large[0], &small.Join(large)[0])
	require.Same(t, &large[0], &large.Join(small)[0])
	require.Same(t, &large[0], &large.With(Dot{1, 4})[0])
	require.Same(t, &large[0], &large.With(Dot{})[0])
	require.Equal(t, Clock{{1, 6}}, small.With(Dot{1, 6}))
	require.Equal(t, Clock{{1, 5}}, small, "clocks are immutable")
}

func TestValidateRefusesClocksThatAreNotCanonical(t *testing.T) {
	require.NoError(t, Clock(nil).Validate())
	require.NoError(t, Clock{{1, 5}, {2, 1}}.Validate())
	for name, c := range map[string]Clock{
		"zero stamp": {{1, 0}},
		"descending": {{2, 1}, {1, 1}},
		"repeated":   {{1, 1}, {1, 2}},
	} {
		require.ErrorIs(t, c.Validate(), ErrMalformed, name)
	}
}
