package load

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

var errRefused = errors.New("refused")

func takes(d time.Duration) Op {
	return func(context.Context, *Caller) error {
		time.Sleep(d)
		return nil
	}
}

var second = Window{Warm: 100 * time.Millisecond, Length: time.Second, Keys: Keys{N: 10}}

func TestAClosedLoopCountsWhatEndedInItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Closed(t.Context(), takes(9*time.Millisecond), 4, second)
		require.InDelta(t, 4/0.009, r.PerSecond, 4)
		require.InDelta(t, float64(9*time.Millisecond), float64(r.Latency.P50), float64(10*time.Microsecond))
		require.InDelta(t, float64(9*time.Millisecond), float64(r.Latency.Max), float64(10*time.Microsecond))
		require.Zero(t, r.Errors)
		require.GreaterOrEqual(t, r.Process.Goroutines, 4)
	})
}

func TestCallsAsSlowAsTheWindowAreMeasuredAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Closed(t.Context(), takes(1500*time.Millisecond), 3, second)
		require.EqualValues(t, 3, r.Latency.Count)
		require.InDelta(t, 1.5, r.PerSecond, 0.01)
		r = Closed(t.Context(), takes(time.Hour), 3, second)
		require.Zero(t, r.Latency.Count, "but not for ever")
	})
}

func TestFailedCallsAreNeitherThroughputNorLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Closed(t.Context(), func(_ context.Context, c *Caller) error {
			time.Sleep(9 * time.Millisecond)
			if c.ID == 0 {
				return errRefused
			}
			return nil
		}, 2, second)
		require.InDelta(t, 1/0.009, r.PerSecond, 2)
		require.InDelta(t, 111, r.Errors, 1)
		require.ErrorIs(t, r.Err, errRefused)
	})
}

func TestACallerWhoseCallsFailAtOnceGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		r := Closed(t.Context(), func(context.Context, *Caller) error { calls++; return errRefused }, 1, second)
		require.Equal(t, hopeless, calls)
		require.Zero(t, r.PerSecond)
	})
}

func TestALoopEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		hour := Window{Length: time.Hour, Keys: Keys{N: 1}}
		Closed(ctx, takes(time.Millisecond), 2, hour)
		require.Less(t, time.Since(start), 2*time.Second)
		open(ctx, takes(time.Millisecond), 100, hour, time.Sleep)
		require.Less(t, time.Since(start), 2*time.Second)
	})
}

func TestAnOpenLoopChargesAStallToEveryCallThatItHeldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := make(chan struct{}, 1) // one call at a time
		stalled := false
		start := time.Now()
		r := open(t.Context(), func(context.Context, *Caller) error {
			server <- struct{}{}
			defer func() { <-server }()
			if time.Since(start) >= time.Second && !stalled {
				stalled = true
				time.Sleep(time.Second)
			}
			return nil
		}, 100, Window{Length: 3 * time.Second, Keys: Keys{N: 1}}, time.Sleep)
		require.EqualValues(t, 300, r.Latency.Count)
		require.InDelta(t, 100, r.PerSecond, 0.01)
		require.InDelta(t, float64(time.Second), float64(r.Latency.Max), float64(2*time.Millisecond))
		// A third of the calls should have begun during the stall, and waited half a second on average: the
		// slowest tenth of all calls waited between 0.7 s and 1 s. A closed loop would have seen one slow call.
		require.InDelta(t, float64(700*time.Millisecond), float64(r.Latency.P90), float64(20*time.Millisecond))
	})
}

func TestACallThatFoundNobodyFreeIsChargedFromWhenItShouldHaveBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		stalls := func(context.Context, *Caller) error { // from 0.25 s to 1.25 s
			if at := time.Since(start); at >= 250*time.Millisecond && at < 1250*time.Millisecond {
				time.Sleep(1250*time.Millisecond - at)
			}
			return nil
		}
		r := open(t.Context(), stalls, 10_000, Window{Length: 1500 * time.Millisecond, Keys: Keys{N: 1}}, time.Sleep)
		// 10,000 of the 15,000 calls should have begun during the stall, and no more than 4,096 could.
		require.EqualValues(t, 15_000, r.Latency.Count)
		require.InDelta(t, float64(250*time.Millisecond), float64(r.Latency.P50), float64(10*time.Millisecond))
		require.Greater(t, r.Late.Max, 500*time.Millisecond)
	})
}

func TestCallsThatNeverBeganAreErrorsAndSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t.Context(), takes(time.Minute), 10_000, Window{Length: time.Second, Keys: Keys{N: 1}}, time.Sleep)
		require.EqualValues(t, 10_000, r.Latency.Count)
		require.EqualValues(t, 10_000-maxOpen, r.Errors)
		require.ErrorIs(t, r.Err, errNeverBegun)
		require.Greater(t, r.Latency.P50, 59*time.Second)
	})
}

func TestWarmingUpIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		slowAtFirst := func(context.Context, *Caller) error {
			if time.Since(start) < 50*time.Millisecond {
				time.Sleep(40 * time.Millisecond)
			}
			return nil
		}
		r := open(t.Context(), slowAtFirst, 100, second, time.Sleep)
		require.EqualValues(t, 100, r.Latency.Count)
		require.Less(t, r.Latency.Max, time.Millisecond)
	})
}

func TestTheRealTickerWaitsAtLeastAsLongAsAsked(t *testing.T) {
	clock := newTicker(tick)
	defer clock.close()
	for _, d := range []time.Duration{0, tick, 3 * time.Millisecond} {
		start := time.Now()
		clock.wait(d)
		require.GreaterOrEqual(t, time.Since(start), max(d, tick))
	}
}
