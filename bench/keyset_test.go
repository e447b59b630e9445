package main

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysAreNumberedAndOfOneLength(t *testing.T) {
	k := newKeyset("a-", 1000)
	require.Equal(t, "a-00000000", k.key(0))
	require.Equal(t, "a-00000999", k.key(999))
}

func TestNoTwoCallersHaveOneKey(t *testing.T) {
	const keys = 8
	c := newContexts(keys)
	held := make([]int, keys) // the race detector sees two holders
	var all sync.WaitGroup
	for range keys {
		all.Go(func() {
			for range 1000 {
				i := c.take(3)
				held[i]++
				c.giveBack(i)
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range held {
		sum += n
	}
	require.Equal(t, keys*1000, sum)
}

func TestAKeyThatIsHeldYieldsTheNext(t *testing.T) {
	c := newContexts(3)
	require.Equal(t, 2, c.take(2))
	require.Equal(t, 0, c.take(2))
	c.giveBack(2)
	require.Equal(t, 2, c.take(2))
}
