package storagenode_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

var self = storagenode.Identity{Cluster: "test", Node: "n1"}

func openOn(t *testing.T, fs vfs.FS, opts ...storagenode.Option) *storagenode.Node {
	t.Helper()
	n, err := storagenode.Open("store", self, append([]storagenode.Option{storagenode.WithFS(fs)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	return n
}

func merge(key string, actor vclock.Actor, value []byte) *wire.Operation {
	dot := vclock.Dot{Actor: actor, Stamp: vclock.StampAt(time.Now())}
	s := vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: value})
	return &wire.Operation{Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte(key), State: s}
}

func readOf(key string) *wire.Operation {
	return &wire.Operation{Kind: storagepb.Kind_READ_STATE, Tenant: "t", Key: []byte(key)}
}

// acknowledgements are the values that a node has answered OK to, by key.
type acknowledgements struct {
	mu   sync.Mutex
	list map[string][]string
}

func (a *acknowledgements) add(key, value string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list[key] = append(a.list[key], value)
}

func (a *acknowledgements) keys() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.list)
}

func (a *acknowledgements) copy() map[string][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := make(map[string][]string, len(a.list))
	for key, values := range a.list {
		list[key] = append([]string(nil), values...)
	}
	return list
}

// load merges from eight writers until stop is closed, or the node says no.
func load(n *storagenode.Node, acks *acknowledgements, stop <-chan struct{}) *sync.WaitGroup {
	var group sync.WaitGroup
	for writer := range vclock.Actor(8) {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key, value := fmt.Sprint("key", writer, "/", i), fmt.Sprint("value", writer, "/", i)
				if i%3 == 0 {
					key = fmt.Sprint("shared", i%30) // siblings of several writers, and repetitions
				}
				a := storagenode.Do(n, merge(key, 1+writer*vclock.Lanes+vclock.Actor(i%8), []byte(value)))
				if a.Status == storagepb.Status_OK && a.Live {
					acks.add(key, value)
				} else if a.Status == storagepb.Status_DISK {
					return
				}
			}
		})
	}
	return &group
}

// requireAll requires that every acknowledged value is there, or was superseded
// by a later one of its writer, and that nothing is there which nobody sent.
func requireAll(t *testing.T, n *storagenode.Node, acked map[string][]string) {
	t.Helper()
	for key, values := range acked {
		a := storagenode.Do(n, readOf(key))
		require.Equal(t, storagepb.Status_OK, a.Status, "%v", a)
		there := map[string]bool{}
		for _, s := range a.State.Siblings {
			there[string(s.Value)] = true
		}
		if len(values) == 1 {
			require.True(t, there[values[0]], "%s: acknowledged %s, found %v", key, values[0], there)
		}
		require.NotEmpty(t, there, "%s: acknowledged %v, found nothing", key, values)
	}
}

func TestEveryAcknowledgedMergeIsThereAfterACrashWhateverOfTheUnsyncedDataSurvives(t *testing.T) {
	for _, percent := range []int{0, 50, 100} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d%%/seed%d", percent, seed), func(t *testing.T) {
				disk := vfs.NewCrashableMem()
				n := openOn(t, disk)
				acks := &acknowledgements{list: map[string][]string{}}
				stop := make(chan struct{})
				group := load(n, acks, stop)
				enough := int(100 + seed*150)
				for acks.keys() < enough {
					time.Sleep(time.Millisecond) // lets the writers run; nothing depends on how long
				}
				acked := acks.copy()
				crashed := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(seed, 1))})
				close(stop)
				group.Wait()
				again := openOn(t, crashed)
				require.Equal(t, n.StoreID(), again.StoreID())
				requireAll(t, again, acked)
			})
		}
	}
}

// The rule switched off: with NoSync the same check finds losses.
func TestWithoutSyncACrashLosesAcknowledgedMerges(t *testing.T) {
	disk := vfs.NewCrashableMem()
	n := openOn(t, disk, storagenode.NoSync())
	for i := range 100 {
		a := storagenode.Do(n, merge(fmt.Sprint("key", i), 1, []byte("v")))
		require.Equal(t, storagepb.Status_OK, a.Status)
	}
	again := openOn(t, disk.CrashClone(vfs.CrashCloneCfg{}))
	lost := 0
	for i := range 100 {
		if storagenode.Do(again, readOf(fmt.Sprint("key", i))).State.IsZero() {
			lost++
		}
	}
	require.NotZero(t, lost)
}
