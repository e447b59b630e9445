package idempotencytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
)

const (
	// short is a time to live that is waited for.
	short = time.Second
	// rounding is the most that a store may add to it.
	rounding = time.Second
)

// outlive returns when all records whose time to live was set to short before the call must
// be gone: when one that was given more is.
func (f *fixture) outlive(t *testing.T) {
	t.Helper()
	witness := freshKey()
	f.begun(t, witness, put(9, "witness"), short+rounding)
	f.gone(t, witness)
}

var lives = []storeCase{
	{"a record lives as long as was said", func(t *testing.T, f *fixture) {
		key, i, start := freshKey(), put(1, "a"), time.Now()
		f.begun(t, key, i, 2*short)
		time.Sleep(short)
		_, found, err := f.Lookup(t.Context(), key)
		require.NoError(t, err)
		require.True(t, found || time.Since(start) >= 2*short, "the record went before its time")
	}},
	{"a record is absent after its time, however it came to be", func(t *testing.T, f *fixture) {
		begun, finished, replaced, anew := freshKey(), freshKey(), freshKey(), freshKey()
		i, next := put(1, "a"), put(2, "b")
		f.begun(t, begun, i, short)
		f.begun(t, finished, i, long)
		f.complete(t, finished, i, result, short)
		f.begun(t, replaced, i, long)
		f.replace(t, replaced, i.Dot(), next, short)
		f.complete(t, anew, i, result, short)
		f.outlive(t)
		for _, key := range []idempotency.Key{begun, finished, replaced, anew} {
			f.lacks(t, key)
		}
		other := put(3, "c")
		f.begun(t, begun, other, long)
		f.holds(t, begun, unfinished(other))
		f.complete(t, finished, other, otherResult, long)
		f.holds(t, finished, idempotency.Finished(other, otherResult))
		rec, mine := f.replace(t, replaced, i.Dot(), other, long)
		require.True(t, mine)
		same(t, unfinished(other), rec)
		f.holds(t, replaced, unfinished(other))
	}},
	{"complete and replace begin the time to live anew", func(t *testing.T, f *fixture) {
		finished, again, replaced := freshKey(), freshKey(), freshKey()
		i, next := put(1, "a"), put(2, "b")
		f.begun(t, finished, i, short)
		f.begun(t, again, i, long)
		f.begun(t, replaced, i, short)
		f.complete(t, finished, i, result, long)
		f.complete(t, again, i, result, short)
		f.complete(t, again, i, result, long)
		_, mine := f.replace(t, replaced, i.Dot(), next, long)
		require.True(t, mine)
		f.outlive(t)
		f.holds(t, finished, idempotency.Finished(i, result))
		f.holds(t, again, idempotency.Finished(i, result))
		f.holds(t, replaced, unfinished(next))
	}},
	{"no other call changes the time to live", func(t *testing.T, f *fixture) {
		for !f.meddled(t) { // the calls took longer than the record lived
			require.NoError(t, t.Context().Err())
		}
	}},
}

// meddled reports whether all of the calls that must not renew a record came in its time.
func (f *fixture) meddled(t *testing.T) bool {
	t.Helper()
	start := time.Now()
	begun, finished := freshKey(), freshKey()
	i, other := put(1, "a"), put(2, "b")
	f.begun(t, begun, i, short)
	f.begun(t, finished, i, short)
	f.complete(t, finished, i, result, short)
	for _, key := range []idempotency.Key{begun, finished} {
		_, _, err := f.Lookup(t.Context(), key)
		require.NoError(t, err)
		f.begin(t, key, i, long)
		f.begin(t, key, other, long)
		f.replace(t, key, other.Dot(), put(3, "c"), long)
		err = f.Complete(t.Context(), key, other, otherResult, long)
		if time.Since(start) >= short {
			return false
		}
		require.ErrorIs(t, err, idempotency.ErrReplaced)
	}
	f.replace(t, finished, i.Dot(), other, long)
	if time.Since(start) >= short {
		return false
	}
	f.outlive(t)
	f.lacks(t, begun)
	f.lacks(t, finished)
	return true
}
