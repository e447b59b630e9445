package peers_test

import (
	"context"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/peers"
)

func TestAFloorGoesOnWithTwoServersAndFailsWithOne(t *testing.T) {
	for _, p := range floors() {
		t.Run(p.Name, func(t *testing.T) {
			before := children(t)
			store, _ := start(t, p, t.TempDir())
			ours := children(t)[len(before):]
			require.Len(t, ours, 3)
			require.NoError(t, store.Put(t.Context(), "key", []byte("value")))

			underLoad(t, store, ours[0])
			got, err := store.Get(t.Context(), "key")
			require.NoError(t, err)
			require.Equal(t, "value", string(got))

			kill(t, ours[1])
			for err == nil { // the connection breaks in a moment
				_, err = store.Get(t.Context(), "key")
			}
			require.ErrorIs(t, err, peers.ErrBroken)
			require.ErrorIs(t, store.Put(t.Context(), "key", nil), peers.ErrBroken)
		})
	}
}

// underLoad kills a server while requests are under way, none of which may fail.
func underLoad(t *testing.T, store peers.Store, pid int) {
	const goroutines = 16
	begun, killed := make(chan struct{}, goroutines), make(chan struct{})
	errs := make([]error, goroutines)
	var all sync.WaitGroup
	for g := range goroutines {
		all.Go(func() {
			errs[g] = readBack(context.Background(), store, g, 8)
			begun <- struct{}{}
			for errs[g] == nil {
				select {
				case <-killed:
					errs[g] = readBack(context.Background(), store, g, 8)
					return
				default:
					errs[g] = readBack(context.Background(), store, g, 8)
				}
			}
		})
	}
	for range goroutines {
		<-begun
	}
	kill(t, pid)
	close(killed)
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, p.Kill())
}

func floors() []peers.Peer { return peers.All()[:2] }
