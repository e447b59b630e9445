package postgres_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"
)

// created returns a Store of sample.
func created(t *testing.T, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, _ := newStore(t, opts...)
	require.NoError(t, s.Create(t.Context(), sample()))
	return s
}

// holds requires that s keeps want, and nothing else.
func holds(t *testing.T, s *postgres.Store, want topology.Topology) {
	t.Helper()
	got, err := s.Current(t.Context())
	require.NoError(t, err)
	require.True(t, want.Equal(got), "want %+v\ngot  %+v", want, got)
}

// next returns what is kept, with the next epoch and changed.
func next(t *testing.T, s *postgres.Store, change func(*topology.Topology)) topology.Topology {
	t.Helper()
	got, err := s.Current(t.Context())
	require.NoError(t, err)
	got.Epoch++
	change(got)
	return *got
}

func TestTheFirstTopologyIsKeptWholeAndOnlyOnce(t *testing.T) {
	s, _ := newStore(t)
	_, err := s.Current(t.Context())
	require.ErrorIs(t, err, postgres.ErrNotFound)
	require.ErrorIs(t, s.Update(t.Context(), sample()), postgres.ErrNotFound)
	require.NoError(t, s.Create(t.Context(), sample()))
	holds(t, s, sample())
	another := sample()
	another.Epoch, another.Nodes = 1, another.Nodes[:1]
	require.ErrorIs(t, s.Create(t.Context(), another), postgres.ErrExists)
	holds(t, s, sample())
}

func TestOfManyWhoCreateAClusterOneDoes(t *testing.T) {
	s, _ := newStore(t)
	errs := atOnce(8, func(i int) error {
		mine := sample()
		mine.Epoch = uint64(i + 1)
		return s.Create(t.Context(), mine)
	})
	require.Equal(t, 1, count(errs, nil))
	require.Equal(t, 7, count(errs, postgres.ErrExists))
}

func TestWhatBreaksARuleIsRefusedAndChangesNothing(t *testing.T) {
	s := created(t)
	for name, change := range map[string]func(*topology.Topology){
		"another cluster":     func(t *topology.Topology) { t.Cluster = "toys" },
		"no nodes":            func(t *topology.Topology) { t.Nodes = nil },
		"a bad address":       func(t *topology.Topology) { t.Nodes[0].Addr = "nowhere" },
		"an address of 1 MB":  func(t *topology.Topology) { t.Nodes[0].Addr = strings.Repeat("x", 1<<20) + ":1" },
		"SQL in an id":        func(t *topology.Topology) { t.Nodes[0].ID = "n1'; DROP TABLE pairdb_nodes; --" },
		"odd Unicode":         func(t *topology.Topology) { t.Nodes[0].Zone = "a\u202eb\x00" },
		"two of one address":  func(t *topology.Topology) { t.Nodes[0].Addr = t.Nodes[1].Addr },
		"other partitions":    func(t *topology.Topology) { t.Partitions = 128 },
		"another hash":        func(t *topology.Topology) { t.Hash = ring.XXHash64 },
		"two of one store id": func(t *topology.Topology) { t.Nodes[0].StoreID, t.Nodes[1].StoreID = 9, 9 },
	} {
		t.Run(name, func(t *testing.T) {
			err := s.Update(t.Context(), next(t, s, change))
			require.ErrorIs(t, err, topology.ErrInvalid)
			require.Less(t, len(err.Error()), 1000)
			holds(t, s, sample())
		})
	}
	far := sample()
	far.Epoch = math.MaxUint64
	require.ErrorIs(t, s.Create(t.Context(), far), topology.ErrInvalid)
}

func TestAnUpdateOfAnyOtherEpochThanTheNextIsRefusedWithBoth(t *testing.T) {
	s := created(t)
	for _, epoch := range []uint64{1, 6, 7, 9, math.MaxInt64} {
		stale := sample()
		stale.Epoch = epoch
		err := s.Update(t.Context(), stale)
		require.ErrorIs(t, err, postgres.ErrEpoch)
		var e *postgres.EpochError
		require.ErrorAs(t, err, &e)
		require.Equal(t, postgres.EpochError{Cluster: "shop", Given: epoch, Has: 7}, *e)
	}
	holds(t, s, sample())
}

func TestUpdatesOfManyProcessesFollowOneAnother(t *testing.T) {
	url := testservers.SharedPostgres(t)
	first := storeOn(t, testservers.NewPool(t, url))
	require.NoError(t, first.Migrate(t.Context()))
	require.NoError(t, first.Create(t.Context(), sample()))
	const processes, updates = 4, 5
	errs := atOnce(processes, func(i int) error {
		s := storeOn(t, testservers.NewPool(t, url))
		for done := 0; done < updates; {
			has, err := s.Current(t.Context())
			if err != nil {
				return err
			}
			has.Epoch++
			has.Nodes[i].Addr = fmt.Sprintf("moved-%d-%d:1", i, done)
			switch err := s.Update(t.Context(), *has); {
			case err == nil:
				done++
			case count([]error{err}, postgres.ErrEpoch) == 0:
				return err
			}
		}
		return nil
	})
	require.Equal(t, processes, count(errs, nil), "%v", errs)
	got, err := first.Current(t.Context())
	require.NoError(t, err)
	require.Equal(t, sample().Epoch+processes*updates, got.Epoch)
	for i := range processes {
		require.Equal(t, fmt.Sprintf("moved-%d-%d:1", i, updates-1), got.Nodes[i].Addr)
	}
}

func TestAnUpdateThatNamesNoStoreKeepsTheOneThatWasRecorded(t *testing.T) {
	s := created(t)
	require.NoError(t, s.RecordStore(t.Context(), "n2", 5))
	want := next(t, s, func(t *topology.Topology) { t.Nodes[0].Addr = "elsewhere:1" })
	given := *want.Clone()
	given.Nodes[1].StoreID = 0
	require.NoError(t, s.Update(t.Context(), given))
	holds(t, s, want)
}

func TestAStoreIsRecordedOnceAndReplacedOnlyByAnOperator(t *testing.T) {
	s := created(t)
	want := sample()
	require.NoError(t, s.RecordStore(t.Context(), "n1", math.MaxUint64))
	want.Epoch, want.Nodes[0].StoreID = 8, math.MaxUint64
	holds(t, s, want)
	require.NoError(t, s.RecordStore(t.Context(), "n1", 4))
	holds(t, s, want)
	require.NoError(t, s.AcceptStore(t.Context(), "n1", math.MaxUint64))
	holds(t, s, want)
	require.NoError(t, s.AcceptStore(t.Context(), "n1", 4))
	want.Epoch, want.Nodes[0].StoreID = 9, 4
	holds(t, s, want)
	for _, set := range []func(context.Context, topology.NodeID, uint64) error{s.RecordStore, s.AcceptStore} {
		require.ErrorIs(t, set(t.Context(), "n2", 4), topology.ErrInvalid, "the store of another node")
		require.ErrorIs(t, set(t.Context(), "n2", 0), topology.ErrInvalid)
		require.ErrorIs(t, set(t.Context(), "nobody'; --", 5), topology.ErrInvalid)
	}
	holds(t, s, want)
}

func TestOfManyClientsThatRecordStoresEachNodeKeepsOne(t *testing.T) {
	s := created(t)
	errs := atOnce(24, func(i int) error {
		return s.RecordStore(t.Context(), sample().Nodes[i%3].ID, uint64(100+i))
	})
	require.Equal(t, 24, count(errs, nil), "%v", errs)
	got, err := s.Current(t.Context())
	require.NoError(t, err)
	require.Equal(t, sample().Epoch+3, got.Epoch)
	for i := range 3 {
		require.EqualValues(t, i, (got.Nodes[i].StoreID-100)%3)
	}
}

// atOnce returns what each of n calls returns, made at once.
func atOnce(n int, call func(i int) error) []error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	return errs
}

func TestTwoClustersInOneDatabaseKeepApart(t *testing.T) {
	s, pool := newStore(t)
	require.NoError(t, s.Create(t.Context(), sample()))
	other, err := postgres.New(pool, "Shop")
	require.NoError(t, err)
	_, err = other.Current(t.Context())
	require.ErrorIs(t, err, postgres.ErrNotFound)
	toys := topology.Topology{Cluster: "Shop", Epoch: 1, Nodes: []topology.Node{{ID: "n1", Addr: "toys:1"}}}
	require.NoError(t, other.Create(t.Context(), toys))
	require.NoError(t, other.RecordStore(t.Context(), "n1", 1))
	holds(t, s, sample())
	toys.Epoch, toys.Nodes[0].StoreID = 2, 1
	holds(t, other, toys)
}
