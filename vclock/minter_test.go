package vclock

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// newTestMinter returns a minter and an endless source of stamps.
func newTestMinter(capacity int) (*Minter, func() Stamp) {
	var h HLC
	return NewMinter(capacity, rand.New(rand.NewPCG(1, 2)).Uint64), func() Stamp { return h.Next(1) }
}

// mintOnce mints and releases.
func mintOnce(m *Minter, k int, ctx Clock, s Stamp) Dot {
	d, pin := m.Mint(keyHash(k), ctx, s)
	m.Release(pin)
	return d
}

func TestAWriteThatSawItsActorsLastDotGoesOnWithTheActor(t *testing.T) {
	m, next := newTestMinter(8)
	var ctx Clock
	first := mintOnce(m, 1, ctx, next())
	for range 1_000 {
		d := mintOnce(m, 1, ctx.With(first), next())
		require.Equal(t, first.Actor, d.Actor)
		require.Zero(t, d.Actor.Lane())
		first, ctx = d, ctx.With(first)
	}
	require.Zero(t, m.Generations())
}

func TestAWriteThatDidNotTakesTheNextLaneAndLanesAreTakenUpAgain(t *testing.T) {
	m, next := newTestMinter(8)
	a := mintOnce(m, 1, nil, next())
	b := mintOnce(m, 1, nil, next())
	require.Equal(t, a.Actor+1, b.Actor)
	c := mintOnce(m, 1, Clock{b}, next())
	require.Equal(t, b.Actor, c.Actor, "lane 1's last dot is covered, lane 0's is not")
	d := mintOnce(m, 1, Clock{a, c}, next())
	require.Equal(t, a.Actor, d.Actor)
	require.Equal(t, a.Actor, mintOnce(m, 2, nil, next()).Actor, "every key has its own lanes")
}

func TestAKeyOutOfLanesGetsABlockForItself(t *testing.T) {
	m, next := newTestMinter(8)
	block := mintOnce(m, 1, nil, next()).Actor
	for lane := 1; lane < Lanes; lane++ {
		require.Equal(t, block+Actor(lane), mintOnce(m, 1, nil, next()).Actor)
	}
	d := mintOnce(m, 1, nil, next())
	require.NotEqual(t, block, d.Actor.Block())
	require.Zero(t, d.Actor.Lane())
	require.Equal(t, 1, m.Generations())
	require.Equal(t, block, mintOnce(m, 2, nil, next()).Actor, "other keys keep the shared block")
}

// The key moved to a block of its own, yet its writes under the shared block stand.
func TestForgettingAKeyThatRanOutOfLanesStillGivesUpTheSharedBlock(t *testing.T) {
	m, next := newTestMinter(1)
	m.lanes = 1
	a := mintOnce(m, 1, nil, next())
	mintOnce(m, 1, nil, next())
	mintOnce(m, 2, nil, next())
	require.NotEqual(t, a.Actor, mintOnce(m, 1, nil, next()).Actor)
}

func TestForgettingAKeyOfTheSharedBlockGivesTheBlockUp(t *testing.T) {
	m, next := newTestMinter(2)
	a1 := mintOnce(m, 1, nil, next())
	a2 := mintOnce(m, 2, nil, next())
	require.Equal(t, a1.Actor, a2.Actor)
	a3 := mintOnce(m, 3, nil, next()) // forgets 1
	require.NotEqual(t, a1.Actor.Block(), a3.Actor.Block())
	require.Equal(t, 2, m.Len())
	require.Equal(t, 1, m.Generations())

	require.Equal(t, a2.Actor, mintOnce(m, 2, Clock{a2}, next()).Actor, "who stays keeps the block")
	mintOnce(m, 1, nil, next()) // forgets 3, of the current block
	require.Equal(t, 2, m.Generations())
	mintOnce(m, 4, nil, next()) // forgets 2, of a block given up already
	require.Equal(t, 2, m.Generations())
}

func TestKeysWithAWriteInFlightAreNeverForgotten(t *testing.T) {
	m, next := newTestMinter(1)
	a, first := m.Mint(keyHash(1), nil, next())
	_, second := m.Mint(keyHash(1), nil, next())
	mintOnce(m, 2, nil, next())
	mintOnce(m, 3, nil, next())
	m.Release(first)
	mintOnce(m, 4, nil, next())
	require.Equal(t, 1, m.Len(), "only the pinned one may exceed the capacity")
	require.Equal(t, a.Actor, mintOnce(m, 1, Clock{a}, next()).Actor)
	m.Release(second)
	mintOnce(m, 5, nil, next())
	require.Equal(t, 1, m.Len())
	require.NotEqual(t, a.Actor, mintOnce(m, 1, Clock{a}, next()).Actor)
	require.Panics(t, func() { m.Release(second) })
	require.Panics(t, func() { m.Release(Pin{}) })
	_, other := m.Mint(keyHash(6), nil, next())
	require.Equal(t, second.at, other.at)
	require.Panics(t, func() { m.Release(second) }, "another key is pinned in its place")
	m.Release(other)
}

func TestTheCapacityIsExceededByPinnedKeysOnly(t *testing.T) {
	m, next := newTestMinter(2)
	var pins [10]Pin
	for k := range pins {
		_, pins[k] = m.Mint(keyHash(k), nil, next())
	}
	require.Equal(t, 10, m.Len())
	for k, pin := range pins {
		m.Release(pin)
		require.Equal(t, max(9-k, 2), m.Len())
	}
}

// Interleaving 11: the actor's owner would mint a dot that is covered already.
func TestNoDotIsMintedThatAForgedContextCovers(t *testing.T) {
	m, next := newTestMinter(8)
	a := mintOnce(m, 1, nil, next())
	forged := Clock{{a.Actor, StampOf(MaxMillis, 0)}}
	b := mintOnce(m, 1, forged, next())
	require.False(t, forged.Covers(b))
	require.Equal(t, a.Actor+1, b.Actor)

	var all Clock
	for lane := range Lanes {
		all = append(all, Dot{a.Actor + Actor(lane), StampOf(MaxMillis, 0)})
	}
	c := mintOnce(m, 1, all, next())
	require.False(t, all.Covers(c))
	require.NotEqual(t, a.Actor.Block(), c.Actor.Block())

	d := mintOnce(m, 2, forged, next())
	require.NotEqual(t, a.Actor.Block(), d.Actor.Block(), "an unknown key whose context knows the block already")
}

func TestNoStampIsMintedAtOrBeforeALanesLast(t *testing.T) {
	m, next := newTestMinter(8)
	next()
	a := mintOnce(m, 1, nil, 10)
	require.Equal(t, a.Actor+1, mintOnce(m, 1, Clock{a}, 10).Actor)
	require.Equal(t, a.Actor+2, mintOnce(m, 1, Clock{a}, 9).Actor)
	require.Equal(t, a.Actor, mintOnce(m, 1, Clock{a}, 11).Actor)
}

func TestFreshBlocksAreNeitherZeroNorTakenWhateverIsDrawn(t *testing.T) {
	m := NewMinter(1, func() uint64 { return 0x7 })
	m.lanes = 1
	a := mintOnce(m, 1, nil, 1)
	require.EqualValues(t, Lanes, a.Actor)
	ctx := Clock{{2 * Lanes, 1}, {3*Lanes + 9, 1}}
	require.EqualValues(t, 4*Lanes, mintOnce(m, 1, ctx, 2).Actor)
	require.EqualValues(t, 5*Lanes, mintOnce(m, 1, ctx, 3).Actor, "not the block that the key leaves")
}

func TestWhatAForgottenKeyTookIsUsedAgainWithoutItsLanes(t *testing.T) {
	const capacity, burst = 2, 10
	m, next := newTestMinter(capacity)
	for round := range 5 {
		var pins []Pin
		for k := range burst {
			for lane := range 3 {
				d, pin := m.Mint(keyHash(burst*round+k), nil, next())
				pins = append(pins, pin)
				require.Equal(t, lane, d.Actor.Lane(), "round %d, key %d", round, k)
			}
		}
		for _, pin := range pins {
			m.Release(pin)
		}
		require.Equal(t, capacity, m.Len())
		require.Len(t, m.others, capacity, "the lanes of the keys that are remembered")
		require.LessOrEqual(t, len(m.entries), 1+burst, "as many as were remembered at once")
	}
}

func TestAKeysLanesBeginAgainInABlockOfItsOwn(t *testing.T) {
	m, next := newTestMinter(8)
	m.lanes = 3
	for range 3 {
		for lane := range m.lanes {
			require.Equal(t, lane, mintOnce(m, 1, nil, next()).Actor.Lane())
		}
	}
	require.Equal(t, 2, m.Generations())
}
