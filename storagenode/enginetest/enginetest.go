// Package enginetest checks that a storagenode.Engine keeps its contract.
package enginetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagenode"
)

// Run runs the suite. Each call of open returns an engine that is empty and open;
// the suite closes it. For engines that keep their data, reopen closes one and
// opens it again; nil skips what needs it.
func Run(t *testing.T, open func(t *testing.T) storagenode.Engine, reopen func(t *testing.T, e storagenode.Engine) storagenode.Engine) {
	for _, c := range []struct {
		name string
		test func(*testing.T, storagenode.Engine)
	}{
		{"WhatIsAppliedIsFoundAndWhatIsNotIsNot", found},
		{"ALaterPutReplacesAnEarlierOne", replaced},
		{"TheEngineKeepsNoSliceOfItsCaller", copied},
		{"AnErrorOfACallbackIsReturned", callbacks},
		{"AScanIsInOrderAndKeepsItsBounds", scanned},
		{"MetaIsASpaceOfItsOwn", meta},
		{"AnApplyIsSeenWholeByManyReaders", whole},
		{"SyncRunsWhileOthersApply", synced},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t)
			c.test(t, e)
			require.NoError(t, e.Close())
		})
	}
	if reopen == nil {
		return
	}
	t.Run("WhatWasSyncedIsThereAfterReopening", func(t *testing.T) {
		e := open(t)
		put(t, e, "a", "1", "b", "2")
		require.NoError(t, e.SetMeta("m", []byte("x")))
		require.NoError(t, e.Sync())
		e = reopen(t, e)
		require.Equal(t, []string{"a=1", "b=2"}, scan(t, e, nil, nil))
		value, err := e.Meta("m")
		require.NoError(t, err)
		require.Equal(t, "x", string(value))
		require.NoError(t, e.Close())
	})
}

func put(t *testing.T, e storagenode.Engine, keysAndValues ...string) {
	t.Helper()
	var puts []storagenode.KV
	for i := 0; i < len(keysAndValues); i += 2 {
		puts = append(puts, storagenode.KV{Key: []byte(keysAndValues[i]), Value: []byte(keysAndValues[i+1])})
	}
	require.NoError(t, e.Apply(puts))
}

func get(t *testing.T, e storagenode.Engine, key string) (value string, found bool) {
	t.Helper()
	found, err := e.Get([]byte(key), func(v []byte) error {
		value = string(v)
		return nil
	})
	require.NoError(t, err)
	return value, found
}

func scan(t *testing.T, e storagenode.Engine, from, to []byte) []string {
	t.Helper()
	got := []string{}
	require.NoError(t, e.Scan(from, to, func(k, v []byte) error {
		got = append(got, fmt.Sprintf("%s=%s", k, v))
		return nil
	}))
	return got
}

func found(t *testing.T, e storagenode.Engine) {
	_, ok := get(t, e, "a")
	require.False(t, ok)
	put(t, e, "a", "1", "b", "", "\x00", "low", "\xff\xff", "high")
	for key, want := range map[string]string{"a": "1", "b": "", "\x00": "low", "\xff\xff": "high"} {
		value, ok := get(t, e, key)
		require.True(t, ok)
		require.Equal(t, want, value)
	}
	_, ok = get(t, e, "c")
	require.False(t, ok)
}

func replaced(t *testing.T, e storagenode.Engine) {
	put(t, e, "a", "1")
	put(t, e, "a", "2", "b", "1")
	require.Equal(t, []string{"a=2", "b=1"}, scan(t, e, nil, nil))
}

func copied(t *testing.T, e storagenode.Engine) {
	key, value := []byte("a"), []byte("1")
	require.NoError(t, e.Apply([]storagenode.KV{{Key: key, Value: value}}))
	require.NoError(t, e.SetMeta("m", value))
	key[0], value[0] = 'x', 'x'
	require.Equal(t, []string{"a=1"}, scan(t, e, nil, nil))
	stored, err := e.Meta("m")
	require.NoError(t, err)
	require.Equal(t, "1", string(stored))
	stored[0] = 'x'
	again, err := e.Meta("m")
	require.NoError(t, err)
	require.Equal(t, "1", string(again), "Meta returns a copy")
}

func callbacks(t *testing.T, e storagenode.Engine) {
	put(t, e, "a", "1", "b", "2")
	mine := errors.New("mine")
	ok, err := e.Get([]byte("a"), func([]byte) error { return mine })
	require.True(t, ok)
	require.ErrorIs(t, err, mine)
	calls := 0
	require.ErrorIs(t, e.Scan(nil, nil, func(_, _ []byte) error { calls++; return mine }), mine)
	require.Equal(t, 1, calls)
	value, ok := get(t, e, "a")
	require.True(t, ok, "an error of the caller's is no failure of the engine")
	require.Equal(t, "1", value)
}

func scanned(t *testing.T, e storagenode.Engine) {
	put(t, e, "b", "2", "d", "4", "a", "1", "c", "3")
	require.Equal(t, []string{"a=1", "b=2", "c=3", "d=4"}, scan(t, e, nil, nil))
	require.Equal(t, []string{"b=2", "c=3"}, scan(t, e, []byte("b"), []byte("d")))
	require.Equal(t, []string{"c=3", "d=4"}, scan(t, e, []byte("bb"), nil))
	require.Empty(t, scan(t, e, []byte("x"), nil))
}

func meta(t *testing.T, e storagenode.Engine) {
	value, err := e.Meta("a")
	require.NoError(t, err)
	require.Nil(t, value)
	put(t, e, "a", "1")
	require.NoError(t, e.SetMeta("a", []byte("2")))
	require.NoError(t, e.SetMeta("b", []byte("3")))
	require.Equal(t, []string{"a=1"}, scan(t, e, nil, nil))
	value, err = e.Meta("a")
	require.NoError(t, err)
	require.Equal(t, "2", string(value))
}

func whole(t *testing.T, e storagenode.Engine) {
	var group sync.WaitGroup
	defer group.Wait()
	for writer := range 4 {
		group.Go(func() {
			for i := range 200 {
				value := bytes.Repeat([]byte{byte(writer)}, 1+i%50)
				puts := []storagenode.KV{{Key: []byte("a"), Value: value}, {Key: []byte("b"), Value: value}}
				if err := e.Apply(puts); err != nil {
					t.Errorf("apply: %v", err)
				}
			}
		})
	}
	for range 200 {
		group.Go(func() {
			_, err := e.Get([]byte("a"), func(v []byte) error {
				if len(bytes.Trim(v, string(v[:1]))) != 0 {
					return fmt.Errorf("torn value %x", v)
				}
				return nil
			})
			if err != nil {
				t.Errorf("get: %v", err)
			}
		})
	}
	for range 50 {
		var seen []string
		require.NoError(t, e.Scan(nil, nil, func(_, v []byte) error {
			seen = append(seen, string(v))
			return nil
		}))
		if len(seen) == 1 {
			t.Errorf("a scan saw half of an apply")
		}
	}
}

func synced(t *testing.T, e storagenode.Engine) {
	done := make(chan struct{})
	var group sync.WaitGroup
	for writer := range 4 {
		group.Go(func() {
			for i := range 100 {
				if err := e.Apply([]storagenode.KV{{Key: fmt.Appendf(nil, "%d/%d", writer, i), Value: []byte("v")}}); err != nil {
					t.Errorf("apply: %v", err)
				}
			}
		})
	}
	go func() { group.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		require.NoError(t, e.Sync())
	}
	require.Len(t, scan(t, e, nil, nil), 400)
}
