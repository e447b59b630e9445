package vclock

import (
	"encoding/binary"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawnOver is a write on top of some of what a state has seen, of all or of none of it, or once more of what it holds.
func drawnOver(t *rapid.T, p Policy, s State) State {
	dots := []Dot{{Actor: 1, Stamp: 1}, {Actor: 300, Stamp: math.MaxUint64}}
	for _, d := range s.Clock {
		dots = append(dots, d, Dot{d.Actor, d.Stamp + 1}, Dot{d.Actor, d.Stamp - 1})
	}
	for _, sib := range s.Siblings {
		dots = append(dots, sib.Dot, Dot{sib.Dot.Actor + 1, sib.Dot.Stamp}, Dot{sib.Dot.Actor, sib.Dot.Stamp + 1})
	}
	d := rapid.SampledFrom(dots).Draw(t, "dot")
	if d.Stamp == 0 {
		d.Stamp = 1
	}
	var ctx Clock
	all := rapid.Bool().Draw(t, "on top of all")
	for _, e := range s.Clock {
		if all || rapid.Bool().Draw(t, "seen") {
			if e.Stamp > 1 && rapid.IntRange(0, 7).Draw(t, "older") == 0 {
				e.Stamp--
			}
			ctx = ctx.With(e)
		}
	}
	w := WriteState(p, ctx, Sibling{Dot: d, Value: []byte("w")})
	require.NoError(t, w.Validate(p))
	return w
}

func drawnStored(t *rapid.T) (Policy, State) {
	s, p := storedStates.Draw(t, "state"), Causal
	if rapid.Bool().Draw(t, "last write wins") {
		p, s.Clock, s.Siblings = LastWriteWins, nil, s.Siblings[:min(1, len(s.Siblings))]
	}
	return p, s
}

func TestAWriteReplacesAStateIfTheirJoinIsTheWriteAndItWasNotSeen(t *testing.T) {
	said := 0
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawnStored(t)
		w := drawnOver(t, p, s)
		got := Replaces(p, &w, AppendState(nil, p, s))
		want := Join(p, s, w).Equal(w) && !s.Covers(p, w.Siblings[0].Dot)
		if len(s.Clock) <= replacedEntries && len(s.Siblings) <= replacedSiblings {
			require.Equal(t, want, got)
		} else {
			require.False(t, got)
		}
		if got {
			said++
		}
		require.False(t, Replaces(p^1, &w, AppendState(nil, p, s)), "another policy")
		several := State{w.Clock, []Sibling{{}, {}}}
		require.False(t, Replaces(p, &several, AppendState(nil, p, s)))
	})
	require.Positive(t, said)
}

func TestAWriteReplacesNothingThatDoesNotDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawnStored(t)
		w := drawnOver(t, p, s)
		b := AppendState(nil, p, s)
		switch i := rapid.IntRange(0, len(b)-1).Draw(t, "at"); rapid.IntRange(0, 2).Draw(t, "damage") {
		case 0:
			b[i] ^= rapid.Byte().Draw(t, "bits")
		case 1:
			b = b[:i]
		default:
			b = append(b[:i:i], append([]byte{rapid.Byte().Draw(t, "one more")}, b[i:]...)...)
		}
		got := Replaces(p, &w, b)
		if q, read, err := DecodeState(b); err != nil || q != p {
			require.False(t, got)
		} else if got {
			require.True(t, Join(p, read, w).Equal(w))
			require.False(t, read.Covers(p, w.Siblings[0].Dot))
		}
	})
}

func TestLongNumbersAreReadAsShortOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := make([]byte, binary.MaxVarintLen64+3)
		if v := rapid.Uint64().Draw(t, "number") >> rapid.IntRange(0, 63).Draw(t, "bits"); rapid.Bool().Draw(t, "a number") {
			require.Equal(t, b[:binary.PutUvarint(b, v)], appendUvarint(nil, v))
		} else {
			b = rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 0x7f, 0x80, 0x81, 0xff}), len(b), len(b)).Draw(t, "bytes")
		}
		v, n := binary.Uvarint(b)
		got, used := longUvarint(b)
		if n <= 0 || n > max(1, (bits.Len64(v)+6)/7) {
			require.Zero(t, used, "%x", b)
			return
		}
		require.Equal(t, v, got, "%x", b)
		require.Equal(t, n, used, "%x", b)
	})
}
