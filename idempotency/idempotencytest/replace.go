package idempotencytest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

var replaces = []storeCase{
	{"replace puts the intent in the place of the old dot's", func(t *testing.T, f *fixture) {
		key, old, next := freshKey(), put(1, "a"), put(2, "b")
		f.begun(t, key, old, long)
		rec, mine := f.replace(t, key, old.Dot(), next, long)
		require.True(t, mine)
		same(t, unfinished(next), rec)
		f.holds(t, key, unfinished(next))
	}},
	{"replacing once more with the same intent is told that the record is its own", func(t *testing.T, f *fixture) {
		key, old, next := freshKey(), put(1, "a"), put(2, "b")
		f.begun(t, key, old, long)
		f.replace(t, key, old.Dot(), next, long)
		rec, mine := f.replace(t, key, old.Dot(), next, long)
		require.True(t, mine)
		same(t, unfinished(next), rec)
	}},
	{"replace of another old dot is told which one is there, and changes nothing", func(t *testing.T, f *fixture) {
		key, there, next := freshKey(), put(1, "a"), put(2, "b")
		f.begun(t, key, there, long)
		d := there.Dot()
		for _, old := range []vclock.Dot{
			{}, next.Dot(), put(3, "c").Dot(), {Actor: d.Actor, Stamp: d.Stamp + 1}, {Actor: d.Actor + 1, Stamp: d.Stamp},
		} {
			rec, mine := f.replace(t, key, old, next, long)
			require.False(t, mine, old)
			same(t, unfinished(there), rec)
			f.holds(t, key, unfinished(there))
		}
	}},
	{"who comes second to replace a dot is told of the first", func(t *testing.T, f *fixture) {
		key, old, first, second := freshKey(), put(1, "a"), put(2, "b"), put(3, "c")
		f.begun(t, key, old, long)
		f.replace(t, key, old.Dot(), first, long)
		rec, mine := f.replace(t, key, old.Dot(), second, long)
		require.False(t, mine)
		same(t, unfinished(first), rec)
		f.holds(t, key, unfinished(first))
	}},
	{"a finished record is not replaced", func(t *testing.T, f *fixture) {
		key, done := freshKey(), put(1, "a")
		f.begun(t, key, done, long)
		f.complete(t, key, done, result, long)
		rec, mine := f.replace(t, key, done.Dot(), put(2, "b"), long)
		require.False(t, mine)
		same(t, idempotency.Finished(done, result), rec)
		f.holds(t, key, idempotency.Finished(done, result))
	}},
	{"replace where there is no record makes it", func(t *testing.T, f *fixture) {
		key, next := freshKey(), put(2, "b")
		rec, mine := f.replace(t, key, put(1, "a").Dot(), next, long)
		require.True(t, mine)
		same(t, unfinished(next), rec)
		f.holds(t, key, unfinished(next))
	}},
	{"what replaced can be completed, and replaced in its turn", func(t *testing.T, f *fixture) {
		key, first, second, third := freshKey(), put(1, "a"), put(2, "b"), put(3, "c")
		f.begun(t, key, first, long)
		f.replace(t, key, first.Dot(), second, long)
		_, mine := f.replace(t, key, second.Dot(), third, long)
		require.True(t, mine)
		f.complete(t, key, third, result, long)
		f.holds(t, key, idempotency.Finished(third, result))
	}},
}
