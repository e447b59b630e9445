package storagenode

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

func openIn(t testing.TB, cache int64) *pebbleEngine {
	t.Helper()
	e, err := openPebble(pebbleConfig{dir: t.TempDir(), fs: vfs.Default, cache: cache, log: slog.New(slog.DiscardHandler), slow: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func find(t testing.TB, e *pebbleEngine, key string) bool {
	t.Helper()
	found, err := e.Get([]byte(key), func(value []byte) error {
		require.Equal(t, key, string(value[:len(key)]))
		return nil
	})
	require.NoError(t, err)
	return found
}

func TestAKeyThatTheStoreDoesNotHaveIsSeldomLookedForInItsLastLevel(t *testing.T) {
	e := openIn(t, defaultCache)
	const keys = 1000
	var puts []KV
	for i := range keys {
		key := fmt.Appendf(nil, "key %d", i)
		puts = append(puts, KV{Key: key, Value: key})
	}
	require.NoError(t, e.Apply(puts))
	require.NoError(t, e.db.Flush())
	require.NoError(t, e.db.Compact(t.Context(), []byte{dataPrefix}, []byte{dataPrefix + 1}, false))
	require.NotZero(t, e.db.Metrics().Levels[6].TablesCount)
	before := e.db.Metrics().Filter
	for i := range keys {
		require.True(t, find(t, e, fmt.Sprintf("key %d", i)))
		require.False(t, find(t, e, fmt.Sprintf("key %d, not stored", i)))
	}
	after := e.db.Metrics().Filter
	require.Greater(t, after.Hits-before.Hits, int64(keys*9/10))
}

func TestBlocksAreCachedBesideFullMemoryTables(t *testing.T) {
	e := openIn(t, 8<<20)
	value := append([]byte("key"), make([]byte, 1<<20)...)
	require.NoError(t, e.Apply([]KV{{Key: []byte("key"), Value: []byte("key")}}))
	require.NoError(t, e.db.Flush())
	for i := range 70 { // they grow as they are filled
		require.NoError(t, e.Apply([]KV{{Key: fmt.Appendf(nil, "large %d", i), Value: value}}))
	}
	require.NoError(t, e.call(func(db *pebble.DB) error { return db.Flush() }))
	require.True(t, find(t, e, "key"))
	before := e.db.Metrics().BlockCache
	require.True(t, find(t, e, "key"))
	after := e.db.Metrics().BlockCache
	require.Positive(t, after.Size)
	require.Greater(t, after.Hits, before.Hits)
	require.Equal(t, before.Misses, after.Misses)
}
