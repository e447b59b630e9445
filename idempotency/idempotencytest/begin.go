package idempotencytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
)

var begins = []storeCase{
	{"a key without a record is not found", func(t *testing.T, f *fixture) {
		f.lacks(t, freshKey())
	}},
	{"begin records the intent, which is its own", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		f.begun(t, key, i, long)
		f.holds(t, key, unfinished(i))
	}},
	{"beginning once more with the same intent is told that the record is its own", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		f.begun(t, key, i, long)
		f.begun(t, key, i, long)
	}},
	{"begin with another dot is told which one is there, and changes nothing", func(t *testing.T, f *fixture) {
		key, first, other := freshKey(), put(1, "a"), put(2, "b")
		f.begun(t, key, first, long)
		rec, mine := f.begin(t, key, other, long)
		require.False(t, mine)
		same(t, unfinished(first), rec)
		f.holds(t, key, unfinished(first))
	}},
	{"a dot that differs in its stamp alone, or in its actor alone, is another", func(t *testing.T, f *fixture) {
		key, first := freshKey(), put(1, "a")
		f.begun(t, key, first, long)
		for _, change := range []func(*idempotency.Intent){
			func(i *idempotency.Intent) { i.State.Siblings[0].Dot.Stamp++; i.State.Clock[0].Stamp++ },
			func(i *idempotency.Intent) { i.State.Siblings[0].Dot.Actor++; i.State.Clock[0].Actor++ },
		} {
			other := put(1, "a")
			change(&other)
			rec, mine := f.begin(t, key, other, long)
			require.False(t, mine)
			same(t, unfinished(first), rec)
		}
	}},
	{"begin on a finished record is told its result, whoever asks", func(t *testing.T, f *fixture) {
		key, first, r := freshKey(), put(1, "a"), idempotency.Result{Acked: 2, Owners: 3}
		f.begun(t, key, first, long)
		f.complete(t, key, first, r, long)
		rec, mine := f.begin(t, key, first, long)
		require.True(t, mine)
		same(t, idempotency.Finished(first, r), rec)
		rec, mine = f.begin(t, key, put(2, "b"), long)
		require.False(t, mine)
		same(t, idempotency.Finished(first, r), rec)
	}},
}
