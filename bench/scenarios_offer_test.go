package main

import (
	"context"
	"errors"
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
			op: func(ctx context.Context, n int64) error {
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
				<-ctx.Done()
				time.Sleep(20 * time.Millisecond)
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

func TestAnErrorIsClearIfItSaysWhatBecameOfThePutAndWhy(t *testing.T) {
	require.True(t, saysWhatAndWhy(errors.Join(pairdb.ErrNotApplied, pairdb.ErrOverloaded)))
	require.True(t, saysWhatAndWhy(errors.Join(pairdb.ErrUnknown, context.DeadlineExceeded)))
	require.False(t, saysWhatAndWhy(pairdb.ErrUnknown))
	require.False(t, saysWhatAndWhy(context.DeadlineExceeded))
}
