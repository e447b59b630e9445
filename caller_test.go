package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
)

// What callers may do with what they get, and what their own functions may do.

func TestAValueThatTheCallerChangesIsNotWhatRepairsSend(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		owners := w.Owners("shop", "k")
		owners[0].Stop()
		synctest.Wait()
		w.put("k", "good", pairdb.NoContext())
		owners[0].Start()
		time.Sleep(10 * time.Second)
		owners[0].Delay(2 * time.Second) // its answer brings the repair, long after Get has returned
		obj := w.get("k")
		copy(obj.Value, "EVIL")
		time.Sleep(10 * time.Second)
		require.Equal(t, 3, w.holders("k", "good"))
	})
}

func TestAResolverThatReordersItsArgumentLeavesTheObjectAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		obj := w.get("k", pairdb.ResolveWith(func(_ string, live []pairdb.Sibling) ([]byte, error) {
			live[0] = live[1]
			return []byte("merged"), nil
		}))
		require.ElementsMatch(t, []string{"a", "b"}, []string{string(obj.Siblings[0].Value), string(obj.Siblings[1].Value)})
	})
}

func TestAResolversNotFoundIsNoAbsentKey(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		resolve := pairdb.ResolveWith(func(string, []pairdb.Sibling) ([]byte, error) { return nil, pairdb.ErrNotFound })
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			t.Error("called, though its object could not be resolved")
			return []byte("fresh"), nil
		}, resolve)
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.ElementsMatch(t, []string{"a", "b"}, w.values("k"))
		_, err = w.shop.Get(t.Context(), "k", resolve)
		require.NotSame(t, pairdb.ErrNotFound, err)
		require.ErrorContains(t, err, "resolver")
	})
}

func TestTheOutcomeOfAnotherWriteIsNotThisOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		cause := errors.New("cause")
		before := w.client.Stats()
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			return nil, fmt.Errorf("another write: %w: %w: %w", pairdb.ErrUnknown, pairdb.ErrNotFound, cause)
		})
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.NotErrorIs(t, err, pairdb.ErrUnknown)
		require.ErrorIs(t, err, cause)
		after := w.client.Stats()
		require.EqualValues(t, 1, after.NotApplied-before.NotApplied)
		require.Zero(t, after.NotFound-before.NotFound)
	})
}

func TestAnUpdateWithATTLMayDelete(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "session")
		_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			return nil, pairdb.DeleteKey
		}, pairdb.WithTTL(time.Hour))
		require.NoError(t, err)
		require.Empty(t, w.values("k"))
	})
}

// moodyTenants is a tenant reader that panics, hangs or fails.
type moodyTenants struct{ mood string }

var errBackend = errors.New("connection refused")

func (m *moodyTenants) Get(ctx context.Context, id string) (tenant.Config, error) {
	switch m.mood {
	case "panic":
		panic("tenant reader")
	case "hang":
		<-ctx.Done()
		return tenant.Config{}, ctx.Err()
	case "fail":
		return tenant.Config{}, errBackend
	}
	return tenant.Config{ID: id, Replicas: 3}, nil
}

// AtHand makes it a reader that clients put no cache before.
func (m *moodyTenants) AtHand(string) (tenant.Config, bool) { return tenant.Config{}, false }

func TestATenantReaderInABadMoodHarmsItsCallAlone(t *testing.T) {
	tenants := new(moodyTenants)
	inBubble(t, func(t *testing.T, w *world) {
		tenants.mood = "panic"
		require.Panics(t, func() { _, _ = w.shop.Get(t.Context(), "k") })

		tenants.mood = "hang"
		start := time.Now()
		_, err := w.shop.Put(t.Context(), "k", nil, pairdb.Timeout(time.Second))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.Equal(t, time.Second, time.Since(start), "the call's own bound holds for the lookup")

		tenants.mood = "fail"
		_, err = w.shop.Get(t.Context(), "k")
		require.ErrorIs(t, err, errBackend)
		require.True(t, pairdb.Retryable(err))

		tenants.mood = ""
		w.put("k", "v")
		require.NoError(t, w.client.Close(soon(t)), "no call is left that Close would wait for")
	}, pairdb.WithTenants(tenants))
}

func TestAPanicInGetManyReachesTheCaller(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "k", "a", "b")
		keys := make([]string, 100)
		for i := range keys {
			keys[i] = "k"
		}
		require.PanicsWithValue(t, "resolver", func() {
			w.shop.GetMany(t.Context(), keys, pairdb.ResolveWith(func(string, []pairdb.Sibling) ([]byte, error) {
				panic("resolver")
			}))
		})
		require.NoError(t, w.client.Close(soon(t)))
	})
}

func TestATailIsAsLongAfterAnyDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		late := w.Owners("shop", "k")[2]
		hour, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		late.LoseWrite(1, pairdbtest.BeforeApply)
		_, err := w.shop.Put(hour, "k", []byte("v"), pairdb.NoContext())
		require.NoError(t, err)
		time.Sleep(15 * time.Second)
		require.Zero(t, w.client.Stats().InFlight, "a caller that would have waited an hour has gone")

		late.Delay(2 * time.Second)
		_, err = w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
			time.Sleep(19 * time.Second)
			return []byte("y"), nil
		}, pairdb.Timeout(20*time.Second))
		require.NoError(t, err)
		missed := w.client.Stats().Missed
		time.Sleep(15 * time.Second)
		require.Equal(t, missed, w.client.Stats().Missed, "one that had a second left still gives the others their time")
	})
}

func TestWhileItConnectsACallThatEndsIsUnavailableNotOverloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		for _, n := range cluster.Nodes() {
			n.Cut(pairdbtest.Both)
		}
		shop := cluster.Client(t).Tenant("shop")
		_, err := shop.Put(t.Context(), "k", nil, pairdb.NoContext(), pairdb.Timeout(time.Second))
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.NotErrorIs(t, err, pairdb.ErrOverloaded)
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.ErrorContains(t, err, "not connected yet")
		_, err = shop.Get(t.Context(), "k", pairdb.Timeout(500*time.Millisecond))
		require.ErrorContains(t, err, "not connected yet")
		cluster.Heal()
	})
}

func TestACallThatCloseCutsSaysThatTheClientIsClosed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for _, n := range w.Nodes() {
			n.Freeze()
		}
		result := make(chan error, 1)
		go func() {
			_, err := w.shop.Put(t.Context(), "k", nil, pairdb.NoContext(), pairdb.Timeout(time.Hour))
			result <- err
		}()
		synctest.Wait()
		closing, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.client.Close(closing), context.DeadlineExceeded)
		err := <-result
		require.ErrorIs(t, err, pairdb.ErrClosed)
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		require.False(t, pairdb.Retryable(err))
		w.Heal()
	})
}

func TestOwnersIsBoundedWhereTheTenantReaderHangs(t *testing.T) {
	tenants := new(moodyTenants)
	inBubble(t, func(t *testing.T, w *world) {
		tenants.mood = "hang"
		start := time.Now()
		_, err := w.shop.Owners("k")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, pairdb.DefaultTimeout, time.Since(start))
	}, pairdb.WithTenants(tenants))
}
