package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestCallsBeginAtEvenTimesFromTheStart(t *testing.T) {
	s := schedule{rate: 4}
	require.Equal(t, time.Duration(0), s.at(0))
	require.Equal(t, 250*time.Millisecond, s.at(1))
	require.Equal(t, time.Hour, s.at(4*3600))
	require.EqualValues(t, 1, s.due(0), "the first begins at once")
	require.EqualValues(t, 1, s.due(249*time.Millisecond))
	require.EqualValues(t, 2, s.due(250*time.Millisecond))
	require.EqualValues(t, 4, s.total(time.Second), "the call at the very end is the next window's")
	require.EqualValues(t, 0, s.total(0))
}

func TestAScheduleNeitherSkipsNorRepeatsACall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := schedule{rate: rapid.Float64Range(0.1, 1e6).Draw(t, "rate")}
		n := rapid.Int64Range(0, 1e8).Draw(t, "n")
		require.Equal(t, n+1, s.due(s.at(n)), "it is due when it should begin")
		if n > 0 {
			require.Equal(t, n, s.due(s.at(n)-1), "and not a nanosecond earlier")
		}
	})
}
