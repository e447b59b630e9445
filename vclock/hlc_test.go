package vclock

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStampsOfAClockStrictlyAscendWhateverTheWallClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h HLC
		var past Stamp
		now := rapid.OneOf(rapid.Int64Range(-10, 1_000), rapid.Int64Range(MaxMillis/2-10, MaxMillis/2))
		for range 50 {
			if rapid.Bool().Draw(t, "observe") {
				s := StampOf(now.Draw(t, "other"), rapid.Uint16().Draw(t, "counter"))
				at, ahead := now.Draw(t, "now"), rapid.Int64Range(0, 500).Draw(t, "ahead")
				if h.Observe(s, at, ahead) {
					past = max(past, s)
				} else {
					require.Greater(t, s.Millis()-max(at, 0), ahead)
				}
				require.Equal(t, past, h.Last())
				continue
			}
			at := now.Draw(t, "now")
			s := h.Next(at)
			require.Greater(t, s, past)
			require.GreaterOrEqual(t, s.Millis(), at)
			past = s
		}
	})
}

func TestClockTakesTheNextMillisecondWhenItsCounterIsFull(t *testing.T) {
	var h HLC
	require.True(t, h.Observe(StampOf(7, math.MaxUint16), 7, 0))
	require.Equal(t, StampOf(8, 0), h.Next(7))
	require.Equal(t, StampOf(8, 1), h.Next(8))
	require.Equal(t, StampOf(9, 0), h.Next(9))
}

func TestClockAdoptsNoStampFurtherAheadThanTheLimit(t *testing.T) {
	var h HLC
	require.False(t, h.Observe(StampOf(1_061, 0), 1_000, 60))
	require.Zero(t, h.Last())
	require.True(t, h.Observe(StampOf(1_060, 9), 1_000, 60))
	require.Equal(t, StampOf(1_060, 10), h.Next(1_000))
	require.True(t, h.Observe(StampOf(1_060, 10), 0, 60), "the clock is past it already")
	require.False(t, h.Observe(math.MaxUint64, 1_000, math.MaxInt64), "Next would wrap round")
	require.Greater(t, h.Next(1_000), StampOf(1_060, 10))
}

func TestStampsKeepTheirPartsAndPrintThem(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 678_900_000, time.UTC)
	s := StampOf(at.UnixMilli(), 3)
	require.Equal(t, at.UnixMilli(), s.Millis())
	require.EqualValues(t, 3, s.Counter())
	require.Equal(t, at.Truncate(time.Millisecond), s.Time())
	require.Equal(t, StampOf(at.UnixMilli(), 0), StampAt(at))
	require.Equal(t, "2026-01-02T15:04:05.678Z+3", s.String())
	require.Equal(t, "never", Stamp(0).String())
	require.Equal(t, Stamp(1), StampOf(-5, 1))
	require.Equal(t, StampOf(MaxMillis, 0), StampOf(math.MaxInt64, 0))

	d := Dot{Actor: 0x5ad1f00dcafe01<<8 | 2, Stamp: s}
	require.Equal(t, "5ad1f00dcafe01/2@2026-01-02T15:04:05.678Z+3", d.String())
	require.Equal(t, "none", Dot{}.String())
	require.Equal(t, "concurrent", Concurrent.String())
	require.Equal(t, "last write wins", LastWriteWins.String())
}
