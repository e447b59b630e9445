package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPercentilesAreThoseOfAllShardsTogether(t *testing.T) {
	r := newRecorder()
	for i := range 10_000 { // 1 µs to 10 ms
		r.add(i, time.Duration(i+1)*time.Microsecond)
	}
	p := percentiles(r.merged())
	require.EqualValues(t, 10_000, p.Count)
	for want, got := range map[time.Duration]time.Duration{
		5_000 * time.Microsecond: p.P50, 9_000 * time.Microsecond: p.P90, 9_900 * time.Microsecond: p.P99,
		9_990 * time.Microsecond: p.P999, 9_999 * time.Microsecond: p.P9999, 10_000 * time.Microsecond: p.Max,
	} {
		require.InEpsilon(t, float64(want), float64(got), 0.001)
	}
}

func TestALatencyOutOfRangeIsCountedAtTheEdge(t *testing.T) {
	r := newRecorder()
	r.add(0, -time.Second)
	r.add(-1, time.Hour)
	p := percentiles(r.merged())
	require.EqualValues(t, 2, p.Count)
	require.InEpsilon(t, float64(longest), float64(p.Max), 0.001)
}
