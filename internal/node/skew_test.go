package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// From 1970 to the year 10889, for which a time.Duration has no room.
func TestNoStampOfTheWholeRangePassesTheSkewLimit(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	now, skew := epoch.UnixMilli(), c.Limits().Skew.Milliseconds()
	decades := make([]int64, 892) // evenly: a draw from the range itself would favour its ends
	for i := range decades {
		decades[i] = vclock.MaxMillis / int64(len(decades)) * int64(i)
	}
	rapid.Check(t, func(t *rapid.T) {
		millis := rapid.OneOf(rapid.SampledFrom(decades), rapid.Int64Range(0, vclock.MaxMillis),
			rapid.Int64Range(now-skew, now+2*skew)).Draw(t, "millis")
		forged := vclock.Dot{Actor: 9, Stamp: vclock.StampOf(millis, 1)}
		key := rapid.StringN(8, 8, 64).Draw(t, "key")
		var op *wire.Operation
		switch rapid.SampledFrom([]string{"dot", "context", "last write wins"}).Draw(t, "place") {
		case "dot":
			op = write(key, forged, nil, "v")
		case "context":
			op = write(key, at(1, 0), vclock.Clock{forged}, "v")
		default:
			key += "last"
			op = writeLast(key, forged, "v")
		}
		a := c.Do(op)
		require.Equal(t, millis-now > skew, a.Status == storagepb.Status_TOO_FAR_AHEAD, "%v", a)
		_, held, err := c.Inspect("t", []byte(key))
		require.NoError(t, err)
		require.False(t, held.Clock.Newest().Millis() > now+skew)
	})
}

func TestARefusalNamesADistanceThatADurationCannotHold(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	a := c.Do(write("k", vclock.Dot{Actor: 1, Stamp: vclock.StampOf(vclock.MaxMillis, 0)}, nil, "v"))
	require1(t, storagepb.Status_TOO_FAR_AHEAD, a)
	require.Contains(t, a.Detail, span(1<<62).String())
	require.Equal(t, time.Minute, span(60_000))
	require.Equal(t, -span(1<<62), span(-1<<62))
}
