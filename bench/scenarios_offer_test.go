package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

func TestAnOverloadTellsWhatBecameOfEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused, odd := errors.New("refused"), errors.New("odd")
		o := &overload{
			rate: 100, deadline: 10 * time.Millisecond, grace: 10 * time.Millisecond,
			clear: func(err error) bool { return errors.Is(err, refused) },
			op: func(_ context.Context, n int64) error {
				switch n % 5 {
				case 0:
					return nil
				case 1:
					return refused
				case 2:
					return odd
				case 3:
					time.Sleep(15 * time.Millisecond) // past the deadline, but within the grace
					return nil
				}
				time.Sleep(30 * time.Millisecond) // past both
				return refused
			},
		}
		got := o.run(t.Context(), time.Second, time.Second)
		require.Equal(t, tally{
			offered: 100, good: 40, refused: 40, unclear: 20, unclearErr: odd, late: 20, latest: 20 * time.Millisecond, most: got.most,
		}, got)
	})
}

func TestAnOverloadDoesNotBeginMoreThanItsBoundAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &overload{
			rate: 2 * offerAtOnce, deadline: time.Hour, clear: func(error) bool { return true },
			op: func(context.Context, int64) error { time.Sleep(time.Hour); return nil },
		}
		got := o.run(t.Context(), 0, time.Second)
		require.EqualValues(t, 2*offerAtOnce, got.offered)
		require.EqualValues(t, offerAtOnce, got.shed)
		require.Equal(t, offerAtOnce, got.most)
		require.EqualValues(t, offerAtOnce, got.good)
	})
}

func TestAnOverloadWhoseCallsEndAtOnceNeedsFewWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all atomic.Int64
		o := &overload{
			rate: 100_000, deadline: time.Hour, clear: func(error) bool { return true },
			op: func(_ context.Context, n int64) error { all.Add(n); return nil },
		}
		got := o.run(t.Context(), 0, time.Second)
		require.EqualValues(t, 100_000, got.offered)
		require.EqualValues(t, 100_000, got.good)
		require.EqualValues(t, 100_000/2*99_999, all.Load(), "each once")
		require.LessOrEqual(t, got.most, 100, "as many as become due at once, at the most")
	})
}

func TestACallThatNobodyCouldBeginInTimeCountsAsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &overload{rate: 1000, deadline: time.Hour, first: 10, clear: func(error) bool { return true }}
		o.due, o.taken, o.atOnce, o.waking = 200, 50, offerAtOnce, true // all are busy
		o.offer(400)
		require.EqualValues(t, 200, o.t.offered)
		require.EqualValues(t, 330, o.t.shed, "those that have been due for longer than the patience")
		require.EqualValues(t, 380, o.taken)
	})
}

func TestAnErrorIsClearIfItSaysWhatBecameOfThePutAndWhy(t *testing.T) {
	require.True(t, saysWhatAndWhy(errors.Join(pairdb.ErrNotApplied, pairdb.ErrOverloaded)))
	require.True(t, saysWhatAndWhy(errors.Join(pairdb.ErrUnknown, context.DeadlineExceeded)))
	require.False(t, saysWhatAndWhy(pairdb.ErrUnknown))
	require.False(t, saysWhatAndWhy(context.DeadlineExceeded))
}
