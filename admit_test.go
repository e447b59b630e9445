package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
)

// tight leaves 3,076 calls to an owner: the four that may be in flight, and those that may wait.
var tight = pairdb.WithLimits(pairdb.Limits{MaxInFlight: 4})

const tightBound = 3076

// crowd begins as many puts as tight lets in, at a level, and returns when they wait. They end when the nodes answer.
func crowd(t *testing.T, w *world, level pairdb.Level) (ended func() (errs []error)) {
	var mu sync.Mutex
	var all sync.WaitGroup
	var failed []error
	for i := range tightBound {
		all.Go(func() {
			_, err := w.shop.Put(t.Context(), fmt.Sprint("crowd", i), nil, pairdb.NoContext(), pairdb.AtLevel(level), pairdb.Timeout(time.Hour))
			if err != nil {
				mu.Lock()
				failed = append(failed, err)
				mu.Unlock()
			}
		})
	}
	synctest.Wait()
	return func() []error { all.Wait(); return failed }
}

func TestPastTheBoundOfAQuorumACallIsRefusedAtOnceAndNothingIsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		ended := crowd(t, w, pairdb.Quorum)
		before, minted := time.Now(), w.client.Stats().KeysMinted
		calls := map[string]func(context.Context, *world) error{
			"put": put("k", []byte("v")), "get": get("k"), "update": update("k"), "delete": func(ctx context.Context, w *world) error {
				_, err := w.shop.Delete(ctx, "k", pairdb.NoContext())
				return err
			},
		}
		for op, call := range calls {
			err := call(t.Context(), w)
			require.ErrorIs(t, err, pairdb.ErrOverloaded, op)
			require.NotErrorIs(t, err, pairdb.ErrUnavailable, op)
			require.True(t, pairdb.Retryable(err), op)
			if op == "get" {
				requireNoOutcome(t, err)
			} else {
				requireOneOutcome(t, err, pairdb.ErrNotApplied)
			}
			e, ok := errors.AsType[*pairdb.OverloadError](err)
			require.True(t, ok, op)
			require.Equal(t, &pairdb.OverloadError{
				Op: op, Level: pairdb.Quorum, Needed: 2, Total: 3, Backlog: tightBound, Left: e.Left,
			}, e)
			require.Contains(t, err.Error(), "level quorum needs 2 of 3 owners, 0 can take more; 3076 operations are ahead of the call"+
				": nothing was sent; try again after a growing, random pause")
		}
		require.Equal(t, before, time.Now(), "at once")
		require.EqualValues(t, len(calls), w.client.Stats().Overloaded)
		require.Equal(t, minted, w.client.Stats().KeysMinted)
		w.Heal()
		require.Empty(t, ended(), "what was admitted is served")
		synctest.Wait()
		require.Empty(t, w.values("k"))
		require.NoError(t, put("k", nil)(t.Context(), w), "the load has gone")
	}, tight)
}

func TestAnOwnerThatIsFullRefusesNothingThatTheOthersCanDo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()[0])
		ended := crowd(t, w, pairdb.All)
		for _, level := range []pairdb.Level{pairdb.One, pairdb.Two, pairdb.Quorum} {
			require.NoError(t, put("k", nil, pairdb.AtLevel(level))(t.Context(), w))
			require.NoError(t, get("k", pairdb.AtLevel(level))(t.Context(), w))
		}
		err := put("k", nil, pairdb.AtLevel(pairdb.All))(t.Context(), w)
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		e, ok := errors.AsType[*pairdb.OverloadError](err)
		require.True(t, ok)
		require.Equal(t, 2, e.Ready)
		w.Heal()
		require.Empty(t, ended())
	}, tight)
}

func TestABurstOfThousandsOfCallersIsServed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ended := crowd(t, w, pairdb.Quorum)
		require.Empty(t, ended())
		require.Zero(t, w.client.Stats().Overloaded)
	}, tight)
}

func TestWhatIsAdmittedGoesOnThroughItsSecondRound(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var crowded func() []error
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			freeze(w.Nodes()...)
			crowded = crowd(t, w, pairdb.Quorum)
			require.ErrorIs(t, get("other")(t.Context(), w), pairdb.ErrOverloaded)
			time.AfterFunc(time.Second, w.Heal)
			return []byte("v"), nil
		})
		require.NoError(t, err)
		require.Empty(t, crowded())
	}, tight)
}

func TestAWriteThatIsFinishedUnderItsKeyIsAnsweredInAnOverloadToo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		once := put("k", []byte("v"), pairdb.WithIdempotencyKey("a"))
		require.NoError(t, once(t.Context(), w))
		freeze(w.Nodes()...)
		ended := crowd(t, w, pairdb.Quorum)
		require.NoError(t, once(t.Context(), w))
		err := put("k", []byte("v"), pairdb.WithIdempotencyKey("b"))(t.Context(), w)
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrOverloaded)
		w.Heal()
		require.Empty(t, ended())
		require.NoError(t, put("k", []byte("v"), pairdb.WithIdempotencyKey("b"))(t.Context(), w), "no record is in its way")
	}, tight, pairdb.WithIdempotency(idempotency.NewMemory(100)))
}
