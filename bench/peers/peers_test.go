//pairdb:needs redis
package peers_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/peers"
)

func TestEveryPeerGivesBackWhatWasPutAndEndsWhenStopped(t *testing.T) {
	for _, p := range peers.All() {
		t.Run(p.Name, func(t *testing.T) {
			before := children(t)
			dir := t.TempDir()
			store, stop := start(t, p, dir)
			t.Run("a key that was never put is not found", func(t *testing.T) { neverPut(t, store) })
			t.Run("the last value put is got", func(t *testing.T) { lastPut(t, store) })
			t.Run("64 goroutines read what they wrote", func(t *testing.T) { manyAtOnce(t, store) })
			t.Run("a caller whose context has ended leaves", func(t *testing.T) { cancelled(t, store) })
			t.Run("values of every size return whole", func(t *testing.T) { sizes(t, store) })
			require.NotSubset(t, before, children(t), "a server in this process proves nothing")
			stop()
			require.Subset(t, before, children(t), "a server has outlived its peer")
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left)
			t.Run("a store that was stopped says so", func(t *testing.T) { stopped(t, store) })
		})
	}
}

// start is skipped where the peer's program is missing, as testservers does it.
func start(t testing.TB, p peers.Peer, dir string) (peers.Store, func()) {
	t.Helper()
	store, stop, err := p.Start(t.Context(), peers.Env{Dir: dir, Log: os.Stderr})
	if missing(err) {
		t.Skip(err)
	}
	require.NoError(t, err)
	once := sync.OnceFunc(stop)
	t.Cleanup(once)
	return store, once
}

func neverPut(t *testing.T, store peers.Store) {
	_, err := store.Get(t.Context(), "never put")
	require.ErrorIs(t, err, peers.ErrNotFound)
}

func lastPut(t *testing.T, store peers.Store) {
	for i := range 20 {
		value := fmt.Appendf(nil, "value %d", i)
		sent := bytes.Clone(value)
		require.NoError(t, store.Put(t.Context(), "key", sent))
		clear(sent) // it is ours again
		got, err := store.Get(t.Context(), "key")
		require.NoError(t, err)
		require.Equal(t, value, got)
		clear(got) // ours too
	}
}

func manyAtOnce(t *testing.T, store peers.Store) {
	const goroutines, keys = 64, 8
	var all sync.WaitGroup
	errs := make([]error, goroutines)
	for g := range goroutines {
		all.Go(func() { errs[g] = readBack(context.Background(), store, g, keys) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

// readBack writes each key twice, and reads it after each.
func readBack(ctx context.Context, store peers.Store, g, keys int) error {
	for i := range 2 * keys {
		key := fmt.Sprintf("goroutine %d, key %d", g, i%keys)
		value := fmt.Appendf(nil, "%s, write %d", key, i)
		if err := store.Put(ctx, key, value); err != nil {
			return err
		}
		got, err := store.Get(ctx, key)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, value) {
			return fmt.Errorf("%q for %q", got, value)
		}
	}
	return nil
}

// cancelled ends contexts while requests are under way, and looks whether others suffer.
func cancelled(t *testing.T, store peers.Store) {
	ended, end := context.WithCancel(t.Context())
	end()
	for range 20 {
		if err := store.Put(ended, "cancelled", []byte("x")); err != nil { // it may be done all the same
			require.ErrorIs(t, err, context.Canceled)
		}
		require.NoError(t, store.Put(t.Context(), "not cancelled", []byte("y")))
		got, err := store.Get(t.Context(), "not cancelled")
		require.NoError(t, err)
		require.Equal(t, "y", string(got))
	}
}

func stopped(t *testing.T, store peers.Store) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.Error(t, store.Put(ctx, "key", nil))
	_, err := store.Get(ctx, "key")
	require.Error(t, err)
	require.NoError(t, ctx.Err(), "it went on trying")
}

func sizes(t *testing.T, store peers.Store) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, n := range []int{1, 10, 1 << 10, 64 << 10, 128 << 10, 1 << 20} {
		value := bytes.Repeat([]byte{byte(n >> 10), 7}, (n+1)/2)[:n]
		key := fmt.Sprintf("of %d bytes", n)
		require.NoError(t, store.Put(ctx, key, value))
		got, err := store.Get(ctx, key)
		require.NoError(t, err)
		require.True(t, bytes.Equal(value, got), "%d bytes", n)
	}
}
