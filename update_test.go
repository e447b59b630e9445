package pairdb_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

func TestAnUpdateWritesWhatItsFunctionMakesOfWhatItRead(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "1")
		calls := 0
		r, err := w.shop.Update(t.Context(), "k", func(obj pairdb.Object) ([]byte, error) {
			calls++
			require.True(t, obj.Found())
			return append(obj.Value, '2'), nil
		})
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 1, calls)
		require.Equal(t, 2, r.RoundTrips)
		require.Equal(t, 3, w.holders("k", "12"))
	})
}

func TestAnUpdateOfAnAbsentKeyMakesIt(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		_, err := w.shop.Update(t.Context(), "k", func(obj pairdb.Object) ([]byte, error) {
			require.False(t, obj.Found())
			return []byte("v"), nil
		})
		require.NoError(t, err)
		require.Equal(t, []string{"v"}, w.values("k"))
	})
}

func TestAnUpdateMaySkipItsWriteOrDelete(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "v")
		applied := w.applied()
		r, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return []byte("no"), pairdb.SkipWrite })
		require.NoError(t, err)
		require.Zero(t, r.Dot)
		require.Equal(t, w.get("k").Context, r.Context)
		require.Equal(t, applied, w.applied())
		_, err = w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return []byte("no"), pairdb.DeleteKey })
		require.NoError(t, err)
		synctest.Wait()
		require.ErrorIs(t, get("k")(t.Context(), w), pairdb.ErrNotFound)
	})
}

func TestAnErrorOfTheUpdateFunctionEndsTheCallUnapplied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		broke := errors.New("not enough money")
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return nil, broke })
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, broke)
		require.Zero(t, w.applied())
		require.NoError(t, update("k")(t.Context(), w))
	})
}

func TestUpdatesOfOneKeyInOneClientTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		const updates = 20
		var all sync.WaitGroup
		for i := range updates {
			key := "k" + strconv.Itoa(i%2)
			all.Go(func() {
				_, err := w.shop.Update(t.Context(), key, func(obj pairdb.Object) ([]byte, error) {
					time.Sleep(100 * time.Millisecond)
					return append(obj.Value, '.'), nil
				})
				require.NoError(t, err)
			})
		}
		began := time.Now()
		all.Wait()
		require.Equal(t, updates/2*100*time.Millisecond, time.Since(began), "two keys at once, each in turn")
		for _, key := range []string{"k0", "k1"} {
			require.Len(t, w.values(key), 1)
			require.Len(t, w.get(key).Value, updates/2)
		}
	})
}

func TestUpdatesOfTwoClientsThatRacedLeaveBothResults(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		other := w.Client(t).Tenant("shop")
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			_, err := other.Put(t.Context(), "k", []byte("theirs"))
			require.NoError(t, err)
			return []byte("mine"), nil
		})
		require.NoError(t, err)
		synctest.Wait()
		require.ElementsMatch(t, []string{"mine", "theirs"}, w.values("k"))
	})
}

func TestAnUpdateSettlesConflictsWithItsResolver(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		_, err := w.shop.Update(t.Context(), "k", func(obj pairdb.Object) ([]byte, error) {
			require.True(t, obj.Conflict())
			return append(obj.Value, "+c"...), nil
		}, pairdb.ResolveWith(joined))
		require.NoError(t, err)
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "a+b+c"))
	})
}

func TestAnUpdateWhoseAnswersAreLostIsUnknownAndRunsItsFunctionOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for _, n := range w.Nodes() {
			n.FailWrite(1, pairdbtest.AfterApply)
		}
		calls := 0
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			calls++
			return []byte("v"), nil
		})
		requireOneOutcome(t, err, pairdb.ErrUnknown)
		require.Equal(t, 1, calls)
		time.Sleep(10 * time.Second)
		require.Equal(t, []string{"v"}, w.values("k"))
	})
}
