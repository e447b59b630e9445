package idempotencytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
)

var (
	result      = idempotency.Result{Acked: 2, Owners: 3}
	otherResult = idempotency.Result{Acked: 3, Owners: 3, Superseded: true}
)

var completes = []storeCase{
	{"complete makes the record a finished one, without its value", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		f.begun(t, key, i, long)
		f.complete(t, key, i, result, long)
		f.holds(t, key, idempotency.Finished(i, result))
	}},
	{"a result comes back whole", func(t *testing.T, f *fixture) {
		for _, r := range []idempotency.Result{
			{}, {Acked: 255, Owners: 255, Superseded: true}, {Acked: 1}, {Owners: 1}, {Superseded: true},
		} {
			key, i := freshKey(), put(1, "a")
			f.begun(t, key, i, long)
			f.complete(t, key, i, r, long)
			f.holds(t, key, idempotency.Finished(i, r))
		}
	}},
	{"completing twice keeps the first result", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		f.begun(t, key, i, long)
		f.complete(t, key, i, result, long)
		f.complete(t, key, i, otherResult, long)
		f.holds(t, key, idempotency.Finished(i, result))
	}},
	{"completing a record that was lost makes it anew", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		f.complete(t, key, i, result, long)
		f.holds(t, key, idempotency.Finished(i, result))
		rec, mine := f.begin(t, key, put(2, "b"), long)
		require.False(t, mine)
		same(t, idempotency.Finished(i, result), rec)
	}},
	{"a write that is of an update, known by an intent without its value, can be completed", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		i.Op = idempotency.Update
		f.begun(t, key, i, long)
		f.complete(t, key, idempotency.Finished(i, result).Intent, result, long)
		f.holds(t, key, idempotency.Finished(i, result))
	}},
	{"completing another dot's record is ErrReplaced, and changes nothing", func(t *testing.T, f *fixture) {
		key, first, other := freshKey(), put(1, "a"), put(2, "b")
		f.begun(t, key, first, long)
		require.ErrorIs(t, f.Complete(t.Context(), key, other, otherResult, long), idempotency.ErrReplaced)
		f.holds(t, key, unfinished(first))

		f.complete(t, key, first, result, long)
		require.ErrorIs(t, f.Complete(t.Context(), key, other, otherResult, long), idempotency.ErrReplaced)
		f.holds(t, key, idempotency.Finished(first, result))
	}},
	{"an intent that was replaced cannot be completed", func(t *testing.T, f *fixture) {
		key, old, next := freshKey(), put(1, "a"), put(2, "a")
		f.begun(t, key, old, long)
		f.replace(t, key, old.Dot(), next, long)
		require.ErrorIs(t, f.Complete(t.Context(), key, old, otherResult, long), idempotency.ErrReplaced)
		f.holds(t, key, unfinished(next))
	}},
}
