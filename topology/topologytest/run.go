package topologytest

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/topology"
)

// patience bounds what a correct source does at once, so that one that never
// answers fails its test. No test is about time.
const patience = 30 * time.Second

// NewSource makes a source that has a valid topology, and advance, which puts the
// next one in force: it returns when the source has been given it, and fails t if that
// cannot be done. A source whose topology never changes has a nil advance.
type NewSource func(t *testing.T) (src topology.Source, advance func(next topology.Topology))

// Run checks that the sources of newSource keep the contract of topology.Source.
// Each subtest makes its own. It runs no bubble of testing/synctest, so a
// source may do real I/O; one that polls should do so every few milliseconds.
func Run(t *testing.T, newSource NewSource) {
	t.Helper()
	_, advance := newSource(t)
	cases := still
	if advance != nil {
		cases = append(cases[:len(cases):len(cases)], moving...)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			src, advance := newSource(t)
			c.run(t, fixture{src: src, advance: advance})
		})
	}
}

type sourceCase struct {
	name string
	run  func(*testing.T, fixture)
}

type fixture struct {
	src     topology.Source
	advance func(topology.Topology)
}

// watch fails the test if there is no answer.
func (f fixture) watch(t *testing.T, after uint64) *topology.Topology {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := f.src.Watch(ctx, after)
	require.NoError(t, err)
	require.NotNil(t, got)
	return got
}

// step puts a topology in force that has one more node and a greater epoch.
func (f fixture) step(t *testing.T, from *topology.Topology) *topology.Topology {
	t.Helper()
	next := from.Clone()
	next.Epoch++
	name := fmt.Sprintf("topologytest-%d", next.Epoch)
	next.Nodes = append(next.Nodes, topology.Node{
		ID:      topology.NodeID(name),
		Addr:    name + ".invalid:1",
		Zone:    "z9",
		Weight:  0.5,
		State:   topology.Draining,
		StoreID: math.MaxUint64 - next.Epoch,
	})
	f.advance(*next)
	return next
}

// same compares as Topology.Equal does: a source may order the nodes anew, and spell
// defaults out.
func same(t *testing.T, want, got *topology.Topology) {
	t.Helper()
	require.True(t, want.Equal(got), "want %+v\ngot  %+v", want, got)
}

// still are the cases for every source.
var still = []sourceCase{
	{"watch with 0 answers the current topology, and it is valid", func(t *testing.T, f fixture) {
		require.NoError(t, f.watch(t, 0).Validate())
	}},
	{"watch with 0 answers the same each time", func(t *testing.T, f fixture) {
		same(t, f.watch(t, 0), f.watch(t, 0))
	}},
	{"watch with an epoch in the past answers the current topology", func(t *testing.T, f fixture) {
		current := f.watch(t, 0)
		same(t, current, f.watch(t, current.Epoch-1))
	}},
	{"watch with the current epoch ends with its context's error", func(t *testing.T, f fixture) {
		endsWithItsContext(t, f, f.watch(t, 0).Epoch)
	}},
	{"watch with an epoch in the future ends with its context's error", func(t *testing.T, f fixture) {
		endsWithItsContext(t, f, f.watch(t, 0).Epoch+1)
		endsWithItsContext(t, f, math.MaxUint64)
	}},
	{"watch ends when its deadline passes", func(t *testing.T, f fixture) {
		after := f.watch(t, 0).Epoch
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		got, err := f.src.Watch(ctx, after)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Nil(t, got)
	}},
	{"a cancelled watch leaves the source as it was", func(t *testing.T, f fixture) {
		current := f.watch(t, 0)
		endsWithItsContext(t, f, current.Epoch)
		same(t, current, f.watch(t, 0))
	}},
}

// endsWithItsContext cancels a call that may be waiting, and makes one with a
// context that has ended already.
func endsWithItsContext(t *testing.T, f fixture, after uint64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var got *topology.Topology
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		got, err = f.src.Watch(ctx, after)
	}()
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		require.Fail(t, "Watch did not end with its context")
	}
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, got)

	got, err = f.src.Watch(ctx, after)
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, got)
}

// moving are the cases for sources whose topology changes.
var moving = []sourceCase{
	{"a watch that waits answers with the next topology, whole", func(t *testing.T, f fixture) {
		current := f.watch(t, 0)
		next := f.step(t, current)
		same(t, next, f.watch(t, current.Epoch))
	}},
	{"all who wait learn of each change", func(t *testing.T, f fixture) {
		allLearn(t, f, f.watch(t, 0))
	}},
	{"once a change was seen, watch with 0 answers with it", func(t *testing.T, f fixture) {
		current := f.watch(t, 0)
		next := f.step(t, current)
		f.watch(t, current.Epoch)
		same(t, next, f.watch(t, 0))
	}},
	{"who slept through changes learns the latest", func(t *testing.T, f fixture) {
		first := f.watch(t, 0)
		last := f.step(t, f.step(t, f.step(t, first)))
		f.watch(t, last.Epoch-1)
		same(t, last, f.watch(t, first.Epoch))
	}},
	{"an epoch that skips numbers counts", func(t *testing.T, f fixture) {
		current := f.watch(t, 0)
		next := current.Clone()
		next.Epoch += 1000
		f.advance(*next)
		require.Equal(t, next.Epoch, f.watch(t, current.Epoch).Epoch)
	}},
	{"an answer does not change when the topology does", func(t *testing.T, f fixture) {
		answer := f.watch(t, 0)
		before := answer.Clone()
		f.watch(t, f.step(t, answer).Epoch-1)
		require.Equal(t, before, answer)
	}},
	{"what the source was given can be changed without changing its answers", func(t *testing.T, f fixture) {
		current := f.watch(t, 0)
		given := f.step(t, current)
		want := f.watch(t, current.Epoch).Clone()
		given.Nodes[0].Addr = "elsewhere.invalid:1"
		same(t, want, f.watch(t, 0))
	}},
}

func allLearn(t *testing.T, f fixture, current *topology.Topology) {
	t.Helper()
	const watchers, changes = 8, 3
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	first, last := current.Epoch, current.Epoch+changes
	errs := make([]error, watchers)
	for i := range watchers {
		wg.Go(func() {
			for epoch := first; epoch < last; {
				got, err := f.src.Watch(ctx, epoch)
				if err != nil {
					errs[i] = err
					return
				}
				epoch = got.Epoch
			}
		})
	}
	for range changes {
		current = f.step(t, current)
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}
