package vclock

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func causalWrite(ctx Clock, d Dot) State { return WriteState(Causal, ctx, Sibling{Dot: d}) }

// Two goroutines read c, and both Put with it:
//
//	Put 1: mints d under c        → {c, d} with d
//	Put 2: mints e under c        → {c, e} with e
//
// Were d and e of one actor, e's clock would cover d, and d be lost.
func TestTwoWritesUnderOneOldContextBothSurvive(t *testing.T) {
	for _, off := range []rules{0, laneRule} {
		m, next := newTestMinter(8)
		m.off = off
		c := mintOnce(m, 1, nil, next())
		ctx := Clock{c}
		d, e := mintOnce(m, 1, ctx, next()), mintOnce(m, 1, ctx, next())
		s := Join(Causal, causalWrite(ctx, d), causalWrite(ctx, e))
		if off == 0 {
			require.True(t, s.Has(d) && s.Has(e))
		} else {
			require.False(t, s.Has(d), "without lanes the case must show")
		}
	}
}

// A write fails, and is replayed long after:
//
//	Put 1: mints d; every node refuses it, but somebody kept it to replay
//	Put 2: mints e without having seen d, acknowledged
//	d is replayed → it must not count as covered by e's clock
func TestADotThatFailedEverywhereIsNotCoveredByTheNext(t *testing.T) {
	for _, off := range []rules{0, laneRule} {
		m, next := newTestMinter(8)
		m.off = off
		d := mintOnce(m, 1, nil, next())
		e := mintOnce(m, 1, nil, next())
		s := Join(Causal, causalWrite(nil, e), causalWrite(nil, d))
		require.True(t, s.Has(e))
		require.Equal(t, off == 0, s.Has(d), "with a lane that forgets, the replay must count as covered")
	}
}

// n1 holds d and e, n2 holds d, n3 holds d with a clock grown to cover e. By
// their siblings n2 and n3 are equal, yet they decide about e differently.
func TestDigestsSeeAGrownClockThatDecidesAboutAnotherWrite(t *testing.T) {
	d, e := Dot{0x100, 1}, Dot{0x200, 1}
	n1 := Join(Causal, causalWrite(nil, d), causalWrite(nil, e))
	n2 := causalWrite(nil, d)
	n3 := causalWrite(Clock{e}, d)
	require.True(t, Join(Causal, n1, n2).Has(e))
	require.False(t, Join(Causal, n1, n3).Has(e))
	require.NotEqual(t, n2.Digest(), n3.Digest())
	require.Equal(t, n3.Clock, Join(Causal, n2, n3).Clock, "a clock that grew is not lost to a state of equal siblings")
	require.Equal(t, n3.Clock, Join(Causal, n3, n2).Clock)
	require.Equal(t, Join(Causal, Join(Causal, n1, n2), n3).Digest(), Join(Causal, n1, n3).Digest())
}

// One wrong clock: its stamps are not adopted, so that this coordinator's own
// writes stay within every node's skew limit. (The forged entry for an actor's
// own lane is TestNoDotIsMintedThatAForgedContextCovers.)
func TestOneWrongClockDoesNotDragTheOthersAlong(t *testing.T) {
	const now, skew = 1_000_000, 60_000
	var h HLC
	m, _ := newTestMinter(8)
	ctx := Clock{{0x100, StampOf(now+10*skew, 0)}}
	require.False(t, h.Observe(ctx.Newest(), now, skew))
	d := mintOnce(m, 1, ctx, h.Next(now))
	require.EqualValues(t, now, d.Stamp.Millis())
	s := Join(Causal, causalWrite(ctx, d), causalWrite(nil, ctx[0]))
	require.True(t, s.Has(d) && !s.Has(ctx[0]), "causality needs no stamps")

	// Without the limit the wrong clock is passed on: nodes refuse what is minted next.
	var dragged HLC
	require.True(t, dragged.Observe(ctx.Newest(), now, MaxMillis))
	require.Greater(t, dragged.Next(now).Millis(), int64(now+skew))
}

// A sibling expires. Whoever holds it keeps it, and readers take it for a
// tombstone. Were one owner to remove it, its clock would still cover the write: the join
// with any other owner drops the value there too, also for readers by whose clocks it
// has not expired, and no tombstone is left to say so.
func TestAnExpiredSiblingThatOneOwnerRemovesIsGoneEverywhere(t *testing.T) {
	d := Dot{0x100, 1}
	whole := WriteState(Causal, nil, Sibling{Dot: d, Value: []byte("v"), Expires: 10})
	removed := State{Clock: whole.Clock}
	require.True(t, Join(Causal, whole, whole).Has(d), "kept, it is joined as any other")
	require.False(t, Join(Causal, whole, removed).Has(d), "removed by one, the case must show")
	require.Error(t, removed.Validate(Causal), "and such a state is refused")
}

// Invariant 3 is the writers' to keep. Two writes whose contexts were both grown
// to cover the other leave nothing of either:
func TestWritesThatEachClaimToHaveSeenTheOtherLeaveNeither(t *testing.T) {
	d, e := Dot{0x100, 1}, Dot{0x200, 1}
	s := Join(Causal, causalWrite(Clock{e}, d), causalWrite(Clock{d}, e))
	require.Empty(t, s.Siblings)
	require.ErrorIs(t, s.Validate(Causal), ErrMalformed)
	_, stored, err := DecodeState(AppendState(nil, Causal, s))
	require.NoError(t, err, "a node must still be able to read what it stored")
	require.True(t, s.Equal(stored))
}
