package pairdb_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

func TestCallersThatWaitAddNoGoroutinesOfTheClients(t *testing.T) {
	for _, r := range requests {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				for _, n := range w.Nodes() {
					n.Cut(pairdbtest.Both) // so that the nodes start none either
				}
				const callers = 256
				before := runtime.NumGoroutine()
				ctx, cancel := context.WithCancel(t.Context())
				var all sync.WaitGroup
				for i := range callers {
					all.Go(func() { _ = r.call(ctx, w.shop, "k"+strconv.Itoa(i)) })
				}
				time.Sleep(time.Second)
				synctest.Wait()
				require.LessOrEqual(t, runtime.NumGoroutine()-before, callers+16)
				require.EqualValues(t, callers, inFlightCalls(w.client.Stats()))
				cancel()
				all.Wait()
			})
		})
	}
}

// inFlightCalls are the calls that hold the client open: each twice, since its
// request does too.
func inFlightCalls(s pairdb.Stats) int64 { return s.InFlight / 2 }

func TestTailsRunWithoutGoroutines(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.Node(0).Cut(pairdbtest.Both)
		before := runtime.NumGoroutine()
		for i := range 256 {
			require.NoError(t, put("k"+strconv.Itoa(i), nil, pairdb.NoContext())(t.Context(), w))
		}
		synctest.Wait()
		require.EqualValues(t, 256, w.client.Stats().InFlight)
		require.LessOrEqual(t, runtime.NumGoroutine()-before, 16)
	})
}
