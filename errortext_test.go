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
)

// In these the owners of "k" are, in preference order, n3, n2, n1.

func TestAnErrorNamesEachNodeAndItsCauseOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Stop()
		w.Node(1).Stop()
		time.Sleep(time.Minute)
		quorum := `level quorum needs 2 of 3 owners, only 1 can be reached: ` +
			`n2 (n2:7400): dial n2:7400: connection refused; n1 (n1:7400): dial n1:7400: connection refused`
		require.EqualError(t, get("k")(t.Context(), w), `pairdb: get shop/"k": `+quorum)
		require.EqualError(t, put("k", nil)(t.Context(), w), `pairdb: put shop/"k": `+quorum+` (the write was not applied)`)
		require.EqualError(t, put("k", nil, pairdb.NoContext())(t.Context(), w),
			`pairdb: put shop/"k": `+quorum+` (the write was not applied)`)
		require.EqualError(t, update("k")(t.Context(), w), `pairdb: update shop/"k": `+quorum+` (the write was not applied)`)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := w.client.Ready(ctx)
		require.EqualError(t, err, `pairdb: not ready: 64 of 64 partitions below quorum; `+
			`n1 (n1:7400) is down: dial n1:7400: connection refused; `+
			`n2 (n2:7400) is down: dial n2:7400: connection refused: context deadline exceeded`)
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestAnErrorTellsSilenceFromBreakageFromRefusal(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(*pairdbtest.Node)
		text  string
	}{
		{"silent", (*pairdbtest.Node).Freeze,
			`pairdb: put shop/"k": context deadline exceeded: level all needs 3 of 3 owners, got 2: ` +
				`n2 (n2:7400): no answer yet (the write may or may not have been applied)`},
		{"broken", func(n *pairdbtest.Node) { n.FailWrite(1, pairdbtest.AfterApply) },
			`pairdb: put shop/"k": level all needs 3 of 3 owners, got 2: ` +
				`n2 (n2:7400): connection broke: the node ended the stream (the write may or may not have been applied)`},
		{"refused", func(n *pairdbtest.Node) { n.Skew(-time.Hour) },
			`pairdb: put shop/"k": level all needs 3 of 3 owners, got 2: ` +
				`n2 (n2:7400): clocks disagree: a stamp is 1h0m0s ahead of the node's clock, the limit is 1m0s ` +
				`(the write may or may not have been applied)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				// The others answer first, so that what they did is known.
				hold := w.Node(1).HoldWrite(1, pairdbtest.BeforeApply)
				c.fault(w.Node(1))
				done := make(chan error, 1)
				go func() { done <- put("k", nil, pairdb.NoContext(), pairdb.AtLevel(pairdb.All))(t.Context(), w) }()
				synctest.Wait()
				hold.Release()
				require.EqualError(t, <-done, c.text)
			})
		})
	}
}

func TestAQuorumErrorTellsWhatWasNeededAndWhoFailed(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Stop()
		w.Node(1).Wipe()
		time.Sleep(time.Minute)
		err := put("k", nil)(t.Context(), w)
		quorum, ok := errors.AsType[*pairdb.QuorumError](err)
		require.True(t, ok)
		require.Equal(t, "put", quorum.Op)
		require.Equal(t, []int{2, 0, 3}, []int{quorum.Needed, quorum.Got, quorum.Total})
		require.Equal(t, pairdb.Quorum, quorum.Level)
		require.Len(t, quorum.Unwrap(), 2)
		for i, id := range []string{"n2", "n1"} {
			replica, ok := errors.AsType[*pairdb.ReplicaError](quorum.Unwrap()[i])
			require.True(t, ok)
			require.Equal(t, id, string(replica.Node))
			require.Equal(t, id+":7400", replica.Addr)
			require.False(t, replica.Answered)
			require.ErrorIs(t, replica, pairdb.ErrUnavailable)
		}
		require.Contains(t, quorum.Unwrap()[0].Error(), "accept its new store id in the topology")
	})
}

func TestOneMistakeIsToldOnceAndOnOneLine(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.EqualError(t, put("k", nil, nil)(ended, w), `pairdb: put shop/"k": option: nil (the write was not applied)`)
		_, err := w.client.Tenant("a b").Get(t.Context(), "k")
		require.EqualError(t, err, `pairdb: get a b/"k": tenant: "a b" has a byte outside [A-Za-z0-9._-] at 1`)
		w.Plant("shop", "torn", "a", "b")
		require.EqualError(t, get("torn", pairdb.ResolveWith(pairdb.RefuseConflicts))(t.Context(), w),
			`pairdb: get shop/"torn": the key has conflicting siblings`)
		require.NoError(t, w.client.Close(soon(t)))
		require.EqualError(t, put("k", nil)(t.Context(), w), `pairdb: put shop/"k": the client is closed (the write was not applied)`)
		require.EqualError(t, w.client.Ready(soon(t)), `pairdb: ready: the client is closed`)
	})
}

func TestRetryableIsOnlyWhatIsSafeAndOfUse(t *testing.T) {
	require.False(t, pairdb.Retryable(nil))
	require.False(t, pairdb.Retryable(pairdb.ErrNotFound))
	require.False(t, pairdb.Retryable(errors.Join(pairdb.ErrUnknown, pairdb.ErrUnavailable)))
	require.False(t, pairdb.Retryable(errors.Join(pairdb.ErrNotApplied, pairdb.ErrInvalid)))
	require.False(t, pairdb.Retryable(errors.Join(pairdb.ErrUnavailable, context.Canceled)))
	require.False(t, pairdb.Retryable(pairdb.ErrClosed))
	require.True(t, pairdb.Retryable(errors.Join(pairdb.ErrNotApplied, pairdb.ErrUnavailable)))
	require.True(t, pairdb.Retryable(pairdb.ErrOverloaded))
	require.True(t, pairdb.Retryable(context.DeadlineExceeded))
}
