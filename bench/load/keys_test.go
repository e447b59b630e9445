package load

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryKeyOfAnEvenChoiceIsAskedFor(t *testing.T) {
	c := NewCaller(1, 2, Keys{N: 10})
	seen := map[int]int{}
	for range 10_000 {
		seen[c.Key()]++
	}
	require.Len(t, seen, 10)
	for k, n := range seen {
		require.InDelta(t, 1000, n, 200, "key %d", k)
	}
}

func TestZipfAsksForFewKeysOften(t *testing.T) {
	const n = 100_000
	c := NewCaller(1, 2, Keys{N: n, Zipf: true})
	seen := map[int]int{}
	for range n {
		k := c.Key()
		require.True(t, k >= 0 && k < n)
		seen[k]++
	}
	require.Greater(t, seen[scatter(0, n)], n/20, "the first rank")
	require.Less(t, len(seen), n/2)
}

func TestScatterIsAPermutation(t *testing.T) {
	for _, n := range []int{1, 20_000, 100_000} {
		seen := make([]bool, n)
		for rank := range n {
			seen[scatter(uint64(rank), n)] = true
		}
		require.NotContains(t, seen, false)
	}
}

func TestCallersWithOneSeedAskForDifferentKeys(t *testing.T) {
	a, b := NewCaller(1, 7, Keys{N: 1 << 30}), NewCaller(2, 7, Keys{N: 1 << 30})
	require.NotEqual(t, a.Key(), b.Key())
}
