package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/storagepb"
)

func TestWhileTheStoreIsDownAWriteWithAKeySendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		store.down.Store(true)
		keys := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
		for _, opts := range [][]pairdb.WriteOption{{key("1")}, {key("1"), pairdb.NoContext()}} {
			_, err := keys.Put(t.Context(), "k", []byte("v"), opts...)
			require.ErrorIs(t, err, pairdb.ErrNotApplied)
			require.ErrorIs(t, err, pairdb.ErrUnavailable)
			require.ErrorIs(t, err, errStoreDown)
			require.True(t, pairdb.Retryable(err))
			require.EqualError(t, err, `pairdb: put t/"k": idempotency store: the store is down (the write was not applied)`)
		}
		_, err := keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { panic("called") }, key("1"))
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.Empty(t, dots(cluster, "k"))
		_, err = keys.Put(t.Context(), "k", []byte("v"))
		require.NoError(t, err, "writes without a key do not need the store")
		store.down.Store(false)
		_, err = keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
	})
}

func TestAClientThatFailsOpenGoesOnWithoutTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		store.down.Store(true)
		var events onceEvents
		client := cluster.Client(t, pairdb.WithIdempotency(store, pairdb.FailOpen()), pairdb.WithHooks(&events))
		keys := client.Tenant("t")
		r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.False(t, r.Duplicate)
		require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyUnprotected}, events.seen)
		_, err = keys.Update(t.Context(), "n", func(pairdb.Object) ([]byte, error) { return []byte("1"), nil }, key("1"))
		require.NoError(t, err)
		require.EqualValues(t, 2, client.Stats().Unprotected)
		store.down.Store(false)
		_, err = keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.Len(t, dots(cluster, "k"), 2, "the repetition is a write of its own: that is what failing open costs")
	})
}

// The store took the intent, and its answer was lost: the write that goes on without it has the intent's
// dot, so that a repetition has no second effect.
func TestAnIntentWhoseAnswerWasLostIsTheWriteThatGoesOnWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		store.loseBegin.Store(true)
		keys := cluster.Client(t, pairdb.WithIdempotency(store, pairdb.FailOpen())).Tenant("t")
		r, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		store.loseBegin.Store(false)
		again, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.Equal(t, r.Dot, again.Dot)
		require.Len(t, dots(cluster, "k"), 1)
	})
}

// hangingStore answers nothing until the caller has had enough.
type hangingStore struct{ idempotency.Store }

func (hangingStore) Begin(ctx context.Context, _ idempotency.Key, _ idempotency.Intent, _ time.Duration) (idempotency.Record, bool, error) {
	<-ctx.Done()
	return idempotency.Record{}, false, fmt.Errorf("store: %w", ctx.Err())
}

func TestAStoreThatHangsIsGivenUpAfterItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := hangingStore{idempotency.NewMemory(0)}
		begun := time.Now()
		_, err := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t").Put(t.Context(), "k", []byte("v"), key("1"))
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.Equal(t, pairdb.DefaultIdempotencyTimeout, time.Since(begun))
		begun = time.Now()
		open := cluster.Client(t, pairdb.WithIdempotency(store, pairdb.FailOpen(), pairdb.IdempotencyTimeout(50*time.Millisecond)))
		_, err = open.Tenant("t").Put(t.Context(), "k", []byte("v"), key("1"))
		require.NoError(t, err)
		require.Equal(t, 50*time.Millisecond, time.Since(begun).Truncate(10*time.Millisecond))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = open.Tenant("t").Put(ctx, "k", []byte("v"), key("2"))
		require.ErrorIs(t, err, pairdb.ErrNotApplied, "a caller who has gone is not written for")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestTheFunctionOfARepeatedUpdateIsNotCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		keys := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
		calls := 0
		add := func(o pairdb.Object) ([]byte, error) { calls++; return append(o.Value, 'x'), nil }
		_, err := keys.Update(t.Context(), "k", add, key("1"))
		require.NoError(t, err)
		_, err = keys.Update(t.Context(), "k", add, key("2"))
		require.NoError(t, err)

		store.failComplete.Store(true)
		_, err = keys.Update(t.Context(), "k", add, key("3"))
		require.NoError(t, err)
		store.failComplete.Store(false)
		for _, token := range []string{"1", "2", "3", "3"} {
			r, err := keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return nil, errors.New("called") }, key(token))
			require.NoError(t, err)
			require.True(t, r.Duplicate)
		}
		obj, err := keys.Get(t.Context(), "k", pairdb.AtLevel(pairdb.All))
		require.NoError(t, err)
		require.Equal(t, []string{"xxx"}, values(obj))
		require.Equal(t, 3, calls)
	})
}

func TestAnUpdateThatWritesNothingLeavesNoRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		keys := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore())).Tenant("t")
		_, err := keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return nil, pairdb.SkipWrite }, key("1"))
		require.NoError(t, err)
		mine := errors.New("mine")
		_, err = keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return nil, mine }, key("1"))
		require.ErrorIs(t, err, mine)
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		r, err := keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return []byte("v"), nil }, key("1"))
		require.NoError(t, err)
		require.False(t, r.Duplicate)
		r, err = keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return nil, pairdb.DeleteKey }, key("2"))
		require.NoError(t, err)
		require.False(t, r.Duplicate)
		_, err = keys.Get(t.Context(), "k")
		require.ErrorIs(t, err, pairdb.ErrNotFound)
	})
}

func TestOneKeyProtectsEachItemOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		keys := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore())).Tenant("t")
		items := []pairdb.Item{{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte("2")}}
		first := keys.PutMany(t.Context(), items, key("batch"))
		require.NoError(t, first.FirstErr())
		again := keys.PutMany(t.Context(), items, key("batch"))
		require.NoError(t, again.FirstErr())
		for i := range items {
			require.True(t, again[i].Receipt.Duplicate)
			require.Equal(t, first[i].Receipt.Dot, again[i].Receipt.Dot)
		}
	})
}

// A write that failed before it was sent leaves its intent. The repetition does not know that,
// so what fails again may be visible all the same.
func TestARepetitionThatFailsIsUnknownEvenWhereAllOwnersRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		store := newBrokenStore()
		abandoned(t, cluster, store, "t")
		for _, n := range cluster.Nodes() {
			n.RefuseWrite(1, storagepb.Status_OVERLOADED)
		}
		keys := cluster.Client(t, pairdb.WithIdempotency(store)).Tenant("t")
		_, err := keys.Put(t.Context(), "k", []byte("v"), key("1"))
		require.ErrorIs(t, err, pairdb.ErrUnknown)
		require.ErrorIs(t, err, pairdb.ErrOverloaded)
	})
}

func TestIdempotencyInputIsRefusedByField(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		field := func(err error) string {
			var input *pairdb.InputError
			require.ErrorAs(t, err, &input)
			require.ErrorIs(t, err, pairdb.ErrInvalid)
			return input.Field
		}
		without := cluster.Client(t).Tenant("t")
		_, err := without.Put(t.Context(), "k", nil, key("1"))
		require.Equal(t, "WithIdempotencyKey", field(err))
		keys := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore())).Tenant("t")
		for _, token := range []string{"", strings.Repeat("x", 256)} {
			_, err = keys.Put(t.Context(), "k", nil, key(token))
			require.Equal(t, "WithIdempotencyKey", field(err))
			require.ErrorIs(t, err, pairdb.ErrNotApplied)
			_, err = keys.Update(t.Context(), "k", func(pairdb.Object) ([]byte, error) { return nil, nil }, key(token))
			require.Equal(t, "WithIdempotencyKey", field(err))
		}
		for name, opt := range map[string]pairdb.Option{
			"WithIdempotency":    pairdb.WithIdempotency(nil),
			"IdempotencyTTL":     pairdb.WithIdempotency(newBrokenStore(), pairdb.IdempotencyTTL(0)),
			"IdempotencyTimeout": pairdb.WithIdempotency(newBrokenStore(), pairdb.IdempotencyTimeout(-1)),
		} {
			_, err := cluster.Open(t.Context(), opt)
			require.Equal(t, name, field(err))
		}
	})
}

func TestATimeToLiveThatOutlastsANodesRetentionIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		client := cluster.Client(t, pairdb.WithIdempotency(newBrokenStore(), pairdb.IdempotencyTTL(48*time.Hour)))
		require.NoError(t, client.Ready(t.Context()))
		_, err := client.Tenant("t").Put(t.Context(), "k", nil, key("1"))
		require.ErrorIs(t, err, pairdb.ErrNotApplied)
		require.ErrorContains(t, err, "IdempotencyTTL: 48h0m0s is longer than node")
		require.ErrorContains(t, err, "retention of 48h0m0s allows: at most 47h38m0s")
	})
}
