package pairdb_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
)

// An input is refused by the name of its field.
type input struct {
	name  string
	field string
	write bool
	call  func(ctx context.Context, w *world) error
}

func put(key string, value []byte, opts ...pairdb.WriteOption) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		_, err := w.shop.Put(ctx, key, value, opts...)
		return err
	}
}

func get(key string, opts ...pairdb.ReadOption) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		_, err := w.shop.Get(ctx, key, opts...)
		return err
	}
}

func update(key string, opts ...pairdb.UpdateOption) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		_, err := w.shop.Update(ctx, key, func(pairdb.Object) ([]byte, error) { return []byte("v"), nil }, opts...)
		return err
	}
}

func of(tenantID string, r request) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error { return r.call(ctx, w.client.Tenant(tenantID), "k") }
}

func badInputs(w *world) []input {
	v := []byte("v")
	large := bytes.Repeat(v, pairdb.DefaultMaxValueBytes+1)
	after := w.put("k", "v").Context
	elsewhere, err := w.client.Tenant("other").Put(w.t.Context(), "k", v)
	require.NoError(w.t, err)
	list := []input{
		{"a large value", "value", true, put("k", large)},
		{"a large value in an update", "value", true, func(ctx context.Context, w *world) error {
			_, err := w.shop.Update(ctx, "k", func(pairdb.Object) ([]byte, error) { return large, nil })
			return err
		}},
		{"no update function", "fn", true, func(ctx context.Context, w *world) error {
			_, err := w.shop.Update(ctx, "k", nil)
			return err
		}},
		{"no context where one is promised", "After", true, put("k", v, pairdb.After(pairdb.CausalContext{}))},
		{"the context of another key", "After", true, put("other", v, pairdb.After(after))},
		{"the context of another tenant", "After", true, put("k", v, pairdb.After(elsewhere.Context))},
		{"a context and none", "After", true, put("k", v, pairdb.After(after), pairdb.NoContext())},
		{"none and a context", "After", true, put("k", v, pairdb.NoContext(), pairdb.After(after))},
		{"a lifetime of nothing", "WithTTL", true, put("k", v, pairdb.WithTTL(0))},
		{"a lifetime of less than a tick", "WithTTL", true, update("k", pairdb.WithTTL(time.Microsecond))},
		{"a delete that expires", "WithTTL", true, func(ctx context.Context, w *world) error {
			_, err := w.shop.Delete(ctx, "k", pairdb.WithTTL(time.Hour))
			return err
		}},
		{"a put with a timeout of nothing", "Timeout", true, put("k", v, pairdb.Timeout(0))},
		{"a get with a negative timeout", "Timeout", false, get("k", pairdb.Timeout(-1))},
		{"an update with a timeout of nothing", "Timeout", true, update("k", pairdb.Timeout(0))},
		{"a put at no level", "AtLevel", true, put("k", v, pairdb.AtLevel(0))},
		{"a get at no level", "AtLevel", false, get("k", pairdb.AtLevel(17))},
		{"an update at no level", "AtLevel", true, update("k", pairdb.AtLevel(17))},
		{"no resolver", "ResolveWith", false, get("k", pairdb.ResolveWith(nil))},
		{"no resolver in an update", "ResolveWith", true, update("k", pairdb.ResolveWith(nil))},
		{"an option that is nil", "option", true, put("k", v, nil)},
		{"an option of a get that is nil", "option", false, get("k", nil)},
		{"an option of an update that is nil", "option", true, update("k", nil)},
		{"too many items", "items", true, func(ctx context.Context, w *world) error {
			return w.shop.PutMany(ctx, make([]pairdb.Item, pairdb.MaxBatch+1)).FirstErr()
		}},
		{"too many keys", "keys", false, func(ctx context.Context, w *world) error {
			return w.shop.GetMany(ctx, make([]string, pairdb.MaxBatch+1)).FirstErr()
		}},
	}
	for _, r := range requests {
		keyed := func(key string) func(context.Context, *world) error {
			return func(ctx context.Context, w *world) error { return r.call(ctx, w.shop, key) }
		}
		list = append(list,
			input{"an empty key: " + r.name, "key", r.write, keyed("")},
			input{"a long key: " + r.name, "key", r.write, keyed(strings.Repeat("k", pairdb.MaxKeyBytes+1))},
			input{"no tenant: " + r.name, "tenant", r.write, of("", r)},
			input{"a tenant with a slash: " + r.name, "tenant", r.write, of("a/b", r)},
			input{"a long tenant: " + r.name, "tenant", r.write, of(strings.Repeat("t", tenant.MaxIDLen+1), r)},
		)
	}
	return list
}

func TestBadInputIsRefusedByItsFieldBeforeAnythingIsSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		inputs := badInputs(w)
		synctest.Wait()
		sent, applied := w.sent(), w.applied()
		for _, in := range inputs {
			err := in.call(t.Context(), w)
			require.ErrorIs(t, err, pairdb.ErrInvalid, in.name)
			refused, ok := errors.AsType[*pairdb.InputError](err)
			require.True(t, ok, "%s: %v", in.name, err)
			require.Equal(t, in.field, refused.Field, "%s: %v", in.name, err)
			require.NotEmpty(t, refused.Reason, in.name)
			require.NotContains(t, err.Error(), "\n", in.name)
			require.False(t, pairdb.Retryable(err), in.name)
			if in.write {
				requireOneOutcome(t, err, pairdb.ErrNotApplied)
			} else {
				requireNoOutcome(t, err)
			}
		}
		// What an update reads before its value is refused is all that was sent.
		require.LessOrEqual(t, w.sent()-sent, uint64(2))
		require.Equal(t, applied, w.applied())
	})
}

func TestTheLargestInputIsTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		key, value := strings.Repeat("k", pairdb.MaxKeyBytes), strings.Repeat("v", pairdb.DefaultMaxValueBytes)
		w.put(key, value)
		require.Equal(t, value, string(w.get(key).Value))
		w.put("k", "")
		require.NotNil(t, w.get("k").Value)
		require.Empty(t, w.get("k").Value)
		_, err := w.client.Tenant(strings.Repeat("t", tenant.MaxIDLen)).Put(t.Context(), "k", nil)
		require.NoError(t, err)
	})
}

func TestATenantsLimitNarrowsTheClients(t *testing.T) {
	tenants, err := tenant.Static(tenant.Config{ID: "shop", Limits: tenant.Limits{MaxValueBytes: 4}})
	require.NoError(t, err)
	inBubble(t, func(t *testing.T, w *world) {
		w.put("k", "four")
		require.ErrorIs(t, put("k", []byte("five!"))(t.Context(), w), pairdb.ErrInvalid)
	}, pairdb.WithTenants(tenants))
}

func TestAValueThatTheNodesDoNotTakeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, pairdbtest.New(t, 3, pairdbtest.NodeLimits(pairdbtest.Limits{MaxValueBytes: 8})))
		err := put("k", []byte("nine bytes"), pairdb.AtLevel(pairdb.One))(t.Context(), w)
		requireOneOutcome(t, err, pairdb.ErrNotApplied)
		require.ErrorIs(t, err, pairdb.ErrInvalid)
		require.NotErrorIs(t, err, pairdb.ErrUnavailable)
		require.False(t, pairdb.Retryable(err))
	})
}

func TestAnUnknownTenantIsRefused(t *testing.T) {
	tenants, err := tenant.Static(tenant.Config{ID: "shop"})
	require.NoError(t, err)
	inBubble(t, func(t *testing.T, w *world) {
		sent := w.sent()
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(t.Context(), w.client.Tenant("nobody"), "k")
			require.ErrorIs(t, err, pairdb.ErrUnknownTenant)
			require.ErrorContains(t, err, "nobody")
			require.False(t, pairdb.Retryable(err))
			return err
		})
		_, err := w.client.Tenant("nobody").Owners("k")
		require.ErrorIs(t, err, pairdb.ErrUnknownTenant)
		require.Equal(t, sent, w.sent())
	}, pairdb.WithTenants(tenants))
}

func TestATenantWithMoreReplicasThanThereAreNodesIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, pairdbtest.New(t, 2)) // three replicas
		sent := w.sent()
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(t.Context(), w.shop, "k")
			refused, ok := errors.AsType[*pairdb.InputError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, "tenant", refused.Field)
			require.Contains(t, refused.Reason, "3 replicas")
			return err
		})
		require.Equal(t, sent, w.sent())
	})
}

func TestALevelThatTheReplicasCannotGiveIsRefused(t *testing.T) {
	pairs, err := tenant.AnyWith(tenant.Config{Replicas: 2})
	require.NoError(t, err)
	inBubble(t, func(t *testing.T, w *world) {
		sent := w.sent()
		for _, err := range []error{
			get("k", pairdb.AtLevel(pairdb.Three))(t.Context(), w),
			put("k", nil, pairdb.AtLevel(pairdb.Three))(t.Context(), w),
			update("k", pairdb.AtLevel(pairdb.Three))(t.Context(), w),
		} {
			refused, ok := errors.AsType[*pairdb.InputError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, "level", refused.Field)
		}
		require.Equal(t, sent, w.sent())
		require.NoError(t, put("k", nil, pairdb.AtLevel(pairdb.All))(t.Context(), w))
	}, pairdb.WithTenants(pairs))
}

func TestAContextInALastWriteWinsTenantIsRefused(t *testing.T) {
	last, err := tenant.AnyWith(tenant.Config{Policy: pairdb.LastWriteWins})
	require.NoError(t, err)
	inBubble(t, func(t *testing.T, w *world) {
		require.True(t, w.put("k", "v").Context.IsZero())
		obj := w.get("k")
		require.True(t, obj.Context.IsZero())
		for field, opt := range map[string]pairdb.WriteOption{
			"NoContext": pairdb.NoContext(), "After": pairdb.After(someContext(t)),
		} {
			err := put("k", nil, opt)(t.Context(), w)
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
			refused, ok := errors.AsType[*pairdb.InputError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, field, refused.Field)
		}
	}, pairdb.WithTenants(last))
}

func someContext(t *testing.T) (c pairdb.CausalContext) {
	t.Helper()
	inner := newWorld(t, pairdbtest.New(t, 3))
	return inner.put("k", "v").Context
}

func TestItemsOfOnePutManyWithTheSameKeyAreRefusedAtTheSecond(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		results := w.shop.PutMany(t.Context(), []pairdb.Item{{Key: "a"}, {Key: "b"}, {Key: "a"}, {Key: ""}})
		require.NoError(t, results[0].Err)
		require.NoError(t, results[1].Err)
		refused, ok := errors.AsType[*pairdb.InputError](results[2].Err)
		require.True(t, ok)
		require.Equal(t, "items[2].Key", refused.Field)
		requireOneOutcome(t, results[2].Err, pairdb.ErrNotApplied)
		require.NotContains(t, results[2].Err.Error(), "\n")
		require.ErrorIs(t, results[3].Err, pairdb.ErrInvalid)
		require.Equal(t, results[2].Err, results.FirstErr())
	})
}

func TestAfterCloseEveryCallIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		require.NoError(t, w.client.Close(soon(t)))
		sent := w.sent()
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(t.Context(), w.shop, "k")
			require.ErrorIs(t, err, pairdb.ErrClosed)
			require.False(t, pairdb.Retryable(err))
			return err
		})
		require.ErrorIs(t, w.client.Ready(soon(t)), pairdb.ErrClosed)
		require.Equal(t, sent, w.sent())
		owners, err := w.shop.Owners("k")
		require.NoError(t, err, "no node is asked")
		require.Len(t, owners, 3)
	})
}

func TestAnUnreachableClusterIsUnavailableAndNothingIsApplied(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for _, n := range w.Nodes() {
			n.Stop()
		}
		synctest.Wait()
		began := time.Now()
		eachRequest(t, func(t *testing.T, r request) error {
			err := r.call(t.Context(), w.shop, "k")
			require.ErrorIs(t, err, pairdb.ErrUnavailable)
			require.True(t, pairdb.Retryable(err))
			return err
		})
		require.Zero(t, time.Since(began), "nodes that are known to be down are not waited for")
		require.Zero(t, w.applied())
	})
}

func TestAWriterWhoseClockIsFarAheadOrBehindIsToldSo(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ahead": -2 * time.Minute, "behind": 20 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				for _, n := range w.Nodes() {
					n.Skew(skew)
				}
				err := put("k", nil, pairdb.AtLevel(pairdb.One))(t.Context(), w)
				requireOneOutcome(t, err, pairdb.ErrNotApplied)
				require.ErrorIs(t, err, pairdb.ErrClockSkew)
				require.NotErrorIs(t, err, pairdb.ErrUnavailable)
				require.False(t, pairdb.Retryable(err), "clocks do not mend themselves")
				require.Zero(t, w.applied())
			})
		})
	}
}
