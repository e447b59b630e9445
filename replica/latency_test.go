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
		l.atLeast(10)
	}
	require.EqualValues(t, latencySamples, l.seen, "it may yet turn out to be quick, or slow")
	for range 13 {
		l.atLeast(50)
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
