package pairdb_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
)

// cancelled calls f and cancels its context as soon as everybody waits.
func cancelled(t *testing.T, f func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	synctest.Wait()
	require.Empty(t, done, "it waits")
	began := time.Now()
	cancel()
	err := <-done
	require.Zero(t, time.Since(began), "cancelling ends the wait at once")
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, pairdb.Retryable(err))
	return err
}

func freeze(nodes ...*pairdbtest.Node) {
	for _, n := range nodes {
		n.Freeze()
	}
}

func TestACallWhoseContextHasEndedSendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		sent := w.sent()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(ctx, w.shop, "k")
			require.ErrorIs(t, err, context.Canceled)
			return err
		})
		past, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(past, w.shop, "k")
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.True(t, pairdb.Retryable(err))
			return err
		})
		require.Equal(t, sent, w.sent())
	})
}

func TestCancelledWhileOwnersAreSilentAWriteIsUnknownAndMayBecomeVisible(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Node(0), w.Node(1))
		requireOneOutcome(t, cancelled(t, func(ctx context.Context) error {
			return put("k", []byte("v"), pairdb.NoContext())(ctx, w)
		}), pairdb.ErrUnknown)
		w.Heal()
		synctest.Wait()
		require.Equal(t, 3, w.holders("k", "v"))
	})
}

func TestCancelledWhileOwnersAreSilentAReadChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		requireNoOutcome(t, cancelled(t, func(ctx context.Context) error { return get("k")(ctx, w) }))
	})
}

func TestCancelledDuringTheClockReadAWriteIsNotApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		requireOneOutcome(t, cancelled(t, func(ctx context.Context) error {
			return put("k", []byte("v"))(ctx, w)
		}), pairdb.ErrNotApplied)
		w.Heal()
		time.Sleep(time.Minute)
		require.Zero(t, w.applied())
	})
}

func TestCancelledBeforeTheNodesAreConnectedAWriteIsNotApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := pairdbtest.New(t, 3)
		for _, n := range c.Nodes() {
			n.Cut(pairdbtest.Both)
		}
		w := &world{Cluster: c, t: t, client: c.Client(t)}
		w.shop = w.client.Tenant("shop")
		requireOneOutcome(t, cancelled(t, func(ctx context.Context) error {
			return put("k", []byte("v"), pairdb.NoContext())(ctx, w)
		}), pairdb.ErrNotApplied)
		requireNoOutcome(t, cancelled(t, func(ctx context.Context) error { return get("k")(ctx, w) }))
		require.Zero(t, w.client.Stats().InFlight, "all was withdrawn")
		c.Heal()
		time.Sleep(time.Minute)
		require.Zero(t, w.applied())
		require.NoError(t, w.client.Ready(soon(t)))
	})
}

func TestCancelledWhileItWaitsForRoomAWriteIsNotApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		go func() { _ = put("first", nil, pairdb.NoContext())(t.Context(), w) }()
		synctest.Wait()
		err := cancelled(t, func(ctx context.Context) error {
			return put("k", []byte("v"), pairdb.NoContext())(ctx, w)
		})
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrOverloaded)
		w.Heal()
		time.Sleep(time.Minute)
		require.Equal(t, 3, w.applied(), "the first alone")
	}, pairdb.WithLimits(pairdb.Limits{MaxInFlight: 1}))
}

func TestWhatWaitsForRoomIsWithdrawnWhenTheCallReturns(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Owners("shop", "k")[0])
		for range 10 {
			require.NoError(t, put("k", nil, pairdb.NoContext())(t.Context(), w))
			require.NoError(t, get("k")(t.Context(), w))
		}
		for _, n := range w.client.Stats().Nodes {
			require.LessOrEqual(t, n.InFlight, 1)
			require.Zero(t, n.Waiting)
		}
	}, pairdb.WithLimits(pairdb.Limits{MaxInFlight: 1}))
}

func TestCancelledWhileItWaitsForItsTurnAnUpdateIsNotApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		slow := make(chan struct{})
		go func() {
			_, err := w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) {
				<-slow
				return []byte("first"), nil
			})
			require.NoError(t, err)
		}()
		synctest.Wait()
		requireOneOutcome(t, cancelled(t, func(ctx context.Context) error { return update("k")(ctx, w) }), pairdb.ErrNotApplied)
		close(slow)
		synctest.Wait()
		require.Equal(t, []string{"first"}, w.values("k"))
		require.NoError(t, update("k")(t.Context(), w), "the turn was given back")
	})
}

func TestCancelledInItsFunctionAnUpdateIsNotApplied(t *testing.T) {
	last, err := tenant.AnyWith(tenant.Config{Policy: pairdb.LastWriteWins})
	require.NoError(t, err)
	for name, tenants := range map[string]tenant.Reader{"causal": tenant.Any(), "last write wins": last} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				ctx, cancel := context.WithCancel(t.Context())
				_, err := w.shop.Update(ctx, "k", func(pairdb.Object) ([]byte, error) {
					cancel()
					return []byte("v"), nil
				})
				requireOneOutcome(t, err, pairdb.ErrNotApplied)
				require.ErrorIs(t, err, context.Canceled)
				_, asked := errors.AsType[*pairdb.QuorumError](err)
				require.False(t, asked, "no owner was asked to write: %v", err)
				synctest.Wait()
				require.Zero(t, w.applied())
			}, pairdb.WithTenants(tenants))
		})
	}
}

// slowTenants answers when the context ends.
type slowTenants struct{}

func (slowTenants) Get(ctx context.Context, _ string) (tenant.Config, error) {
	<-ctx.Done()
	return tenant.Config{}, ctx.Err()
}

func TestCancelledWhileTheTenantIsLookedUpACallSendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		eachRequest(t, func(t *testing.T, r request) error {
			return cancelled(t, func(ctx context.Context) error { return r.call(ctx, w.shop, "k") })
		})
		require.Zero(t, w.sent())
	}, pairdb.WithTenants(slowTenants{}))
}

func TestTheEarlierOfTimeoutAndDeadlineEndsACall(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		freeze(w.Nodes()...)
		deadline, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		for _, c := range []struct {
			ctx  context.Context
			opts []pairdb.WriteOption
			want time.Duration
		}{
			{deadline, []pairdb.WriteOption{pairdb.Timeout(time.Hour)}, 300 * time.Millisecond},
			{t.Context(), []pairdb.WriteOption{pairdb.Timeout(100 * time.Millisecond)}, 100 * time.Millisecond},
			{t.Context(), nil, 2 * time.Second},
		} {
			began := time.Now()
			err := put("k", nil, append(c.opts, pairdb.NoContext())...)(c.ctx, w)
			requireOneOutcome(t, err, pairdb.ErrUnknown)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, c.want, time.Since(began))
		}
	}, pairdb.WithTimeout(2*time.Second))
}

func TestAPanicInTheCallersFunctionLeavesNothingBehind(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Plant("shop", "torn", "a", "b")
		explode := func(string, []pairdb.Sibling) ([]byte, error) { panic(errors.New("resolver")) }
		require.Panics(t, func() { _ = get("torn", pairdb.ResolveWith(explode))(t.Context(), w) })
		require.Panics(t, func() {
			_, _ = w.shop.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { panic(errors.New("fn")) })
		})
		require.NoError(t, update("k")(t.Context(), w), "the turn was given back")
		synctest.Wait()
		require.Zero(t, w.client.Stats().InFlight)
		require.NoError(t, w.client.Close(soon(t)))
	})
}
