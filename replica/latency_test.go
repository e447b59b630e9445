package replica

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestThirteenSlowReadsOfManyMoveTheP95AtOnce(t *testing.T) {
	var l latencies
	l.add(make([]time.Duration, latencySamples))
	for range 12 {
		l.add([]time.Duration{time.Second})
		require.Zero(t, l.p95.Load())
	}
	l.add([]time.Duration{time.Second})
	require.EqualValues(t, time.Second, l.p95.Load())
}

func TestAReadWithoutAnAnswerCountsIfItIsLateAlready(t *testing.T) {
	var l latencies
	l.add(slices.Repeat([]time.Duration{10}, latencySamples))
	for range latencySamples {
		l.atLeast(1, 10)
	}
	require.EqualValues(t, latencySamples, l.seen, "it may yet turn out to be quick, or slow")
	for range 13 {
		l.atLeast(1, 50)
	}
	require.EqualValues(t, 50, l.p95.Load())
}

func TestANodeThatHasRecoveredIsKnownByItsLastReads(t *testing.T) {
	var l latencies
	l.keep(4)
	require.Zero(t, l.p95.Load())
	l.add(slices.Repeat([]time.Duration{100}, 2*latencySamples+1)) // the newest lie across the ring's end
	l.add(slices.Repeat([]time.Duration{99}, latencySamples-3))
	l.add([]time.Duration{1, 2, 3, 4})
	l.keep(4)
	require.EqualValues(t, 4, l.p95.Load())
	require.EqualValues(t, 2, l.mean.Load())
	l.keep(100)
	require.EqualValues(t, 4, l.p95.Load(), "no more than there are")
}

func TestAHiccupOfABusyNodeIsNotAllThatIsKnownOfIt(t *testing.T) {
	var l latencies
	now := int64(time.Hour)
	frame := func(d time.Duration) {
		samples := make([]time.Duration, 50)
		for i := range samples {
			samples[i] = d
		}
		now += int64(time.Millisecond)
		l.offer(now, samples)
	}
	for range 1000 { // 50,000 reads a second
		frame(time.Millisecond)
	}
	require.Equal(t, int64(time.Millisecond), l.p95.Load())
	for range 5 { // that all come late for a moment
		frame(30 * time.Millisecond)
	}
	require.Equal(t, int64(time.Millisecond), l.p95.Load())
	for range 30 { // a node that stays slow
		frame(30 * time.Millisecond)
	}
	require.Equal(t, int64(30*time.Millisecond), l.p95.Load())
	require.Equal(t, int64(time.Millisecond), l.p50.Load())
	for range 600 { // and recovers
		frame(time.Millisecond)
	}
	require.Equal(t, int64(time.Millisecond), l.p95.Load())
	now += int64(time.Minute)
	seen := l.seen
	frame(time.Millisecond)
	require.Equal(t, seen+50, l.seen, "a quiet node's are all taken")
}
