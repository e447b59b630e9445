//go:build !race

package main

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
)

// What the client allocates for one call on its hot path: at most so many objects, at 256 callers, whose operations
// share frames, and of one caller, who has every frame to itself. The nodes are processes of their own, so that all that is
// counted is the client's. docs/benchmark/README.md says what each object is; a change there or here changes both.
var mostAllocs = []struct {
	call           string
	crowded, alone float64
	do             func(s *hotPath, ctx context.Context, i int) error
}{
	{"PUT After", 5, 8, (*hotPath).putAfter},
	{"PUT NoContext", 4, 7, (*hotPath).putNoContext},
	{"GET at Quorum", 5, 7, (*hotPath).get},
}

const (
	allocKeys   = 512 // that have values
	allocRounds = 5   // tried: a call that met a slow node, or a pool that was empty, took more
	freshKeys   = (allocRounds + 1) * (256 + 8) * callsEach
	callsEach   = 32 // by one of 256 callers; by one alone 8 times that
)

// A hotPath is a client of three nodes, and keys.
type hotPath struct {
	*pairdbSubject
	known    keyset
	contexts []pairdb.CausalContext // by known key; calls at once have other keys
	fresh    keyset
	written  atomic.Int64 // keys of fresh
	value    []byte
}

func TestTheClientsHotPathAllocatesNoMoreThanIsWrittenDown(t *testing.T) {
	r := small(t, "^$")
	started, err := startPairDB(t.Context(), r, false, nil)
	require.NoError(t, err)
	t.Cleanup(started.stop)
	s := &hotPath{
		pairdbSubject: started.(*pairdbSubject),
		known:         newKeyset("known-", allocKeys), contexts: make([]pairdb.CausalContext, allocKeys),
		fresh: newKeyset("fresh-", freshKeys), value: newValue(100),
	}
	for i := range allocKeys {
		receipt, err := s.tenant.Put(t.Context(), s.known.key(i), s.value)
		require.NoError(t, err)
		s.contexts[i] = receipt.Context
	}
	for _, c := range mostAllocs {
		for callers, most := range map[int]float64{1: c.alone, 256: c.crowded} {
			least := s.allocations(t, callers, most, c.do)
			t.Logf("%s, %d callers: %.2f allocations", c.call, callers, least)
			require.LessOrEqual(t, least, most, "%s, %d callers", c.call, callers)
		}
	}
}

// allocations is how many objects a call allocates: the least of some rounds, the first that is not above most.
// The collector, which empties the pools, is off meanwhile.
func (s *hotPath) allocations(t *testing.T, callers int, most float64, do func(*hotPath, context.Context, int) error) float64 {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // with more of them, callers have smaller frames
	least := math.Inf(1)
	s.calls(t, callers, do) // fills pools and buffers
	for round := 0; round < allocRounds && least > most; round++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n := s.calls(t, callers, do)
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.Mallocs-before.Mallocs)/float64(n))
	}
	return least
}

// calls makes calls from so many goroutines, and returns how many.
func (s *hotPath) calls(t *testing.T, callers int, do func(*hotPath, context.Context, int) error) int {
	t.Helper()
	n := max(callers, 8) * callsEach
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for i := caller; i < n; i += callers {
				if err := do(s, ctx, i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return n
}

func (s *hotPath) putAfter(ctx context.Context, i int) error {
	i %= allocKeys
	receipt, err := s.tenant.Put(ctx, s.known.key(i), s.value, pairdb.After(s.contexts[i]))
	if err == nil {
		s.contexts[i] = receipt.Context
	}
	return err
}

func (s *hotPath) putNoContext(ctx context.Context, _ int) error {
	_, err := s.tenant.Put(ctx, s.fresh.key(int(s.written.Add(1)-1)), s.value, pairdb.NoContext())
	return err
}

func (s *hotPath) get(ctx context.Context, i int) error {
	object, err := s.tenant.Get(ctx, s.known.key(i%allocKeys))
	return checked(object.Value, len(s.value), err)
}
