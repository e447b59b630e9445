package idempotencytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
)

const racers = 32

var races = []storeCase{
	{"of many who begin one key at once exactly one dot wins, and all see it", func(t *testing.T, f *fixture) {
		key := freshKey()
		f.oneWins(t, key, func(i idempotency.Intent) (idempotency.Record, bool, error) {
			return f.Begin(t.Context(), key, i, long)
		})
	}},
	{"of many who replace one dot at once exactly one wins, and all see it", func(t *testing.T, f *fixture) {
		key, old := freshKey(), put(racers, "old")
		f.begun(t, key, old, long)
		f.oneWins(t, key, func(i idempotency.Intent) (idempotency.Record, bool, error) {
			return f.Replace(t.Context(), key, old.Dot(), i, long)
		})
	}},
	{"of many who complete one write at once exactly one result stays", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		f.begun(t, key, i, long)
		seen := make([]idempotency.Record, racers)
		each(t, func(n int) error {
			err := f.Complete(t.Context(), key, i, idempotency.Result{Acked: n, Owners: racers}, long)
			if err == nil {
				seen[n], _, err = f.Lookup(t.Context(), key)
			}
			return err
		})
		for n := range seen {
			require.True(t, seen[n].Done)
			same(t, seen[0], seen[n])
		}
	}},
	{"a write is completed or replaced, never both", func(t *testing.T, f *fixture) {
		for range 20 {
			f.eitherOr(t)
		}
	}},
}

// oneWins has each of many goroutines try to make key its own.
func (f *fixture) oneWins(t *testing.T, key idempotency.Key, try func(idempotency.Intent) (idempotency.Record, bool, error)) {
	t.Helper()
	var seen [racers]idempotency.Record
	var mine [racers]bool
	each(t, func(n int) (err error) {
		seen[n], mine[n], err = try(put(n, fmt.Sprint(n)))
		return err
	})
	winners := 0
	for n := range seen {
		same(t, seen[0], seen[n])
		if mine[n] {
			winners++
			same(t, unfinished(put(n, fmt.Sprint(n))), seen[n])
		}
	}
	require.Equal(t, 1, winners)
	f.holds(t, key, seen[0])
}

func (f *fixture) eitherOr(t *testing.T) {
	t.Helper()
	key, old, next := freshKey(), put(1, "a"), put(2, "b")
	f.begun(t, key, old, long)
	var completed, replaced [racers]bool
	each(t, func(n int) error {
		if n%2 == 0 {
			err := f.Complete(t.Context(), key, old, result, long)
			completed[n] = err == nil
			if errors.Is(err, idempotency.ErrReplaced) {
				return nil
			}
			return err
		}
		_, mine, err := f.Replace(t.Context(), key, old.Dot(), next, long)
		replaced[n] = mine
		return err
	})
	for n := 2; n < racers; n++ {
		require.Equal(t, completed[n%2], completed[n], "all of one kind have the same outcome")
		require.Equal(t, replaced[n%2], replaced[n], "all of one kind have the same outcome")
	}
	require.NotEqual(t, completed[0], replaced[1])
	want := idempotency.Finished(old, result)
	if replaced[1] {
		want = unfinished(next)
	}
	f.holds(t, key, want)
}

// each runs fn for 0 to racers-1 at once and fails the test for any error.
func each(t *testing.T, fn func(n int) error) {
	t.Helper()
	errs := make([]error, racers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for n := range racers {
		wg.Go(func() {
			<-start
			errs[n] = fn(n)
		})
	}
	close(start)
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}
