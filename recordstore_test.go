package pairdb_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/topology"
)

// recordingSource keeps the stores that clients see, as a database would.
type recordingSource struct {
	*topology.Manual

	mu       sync.Mutex
	current  topology.Topology // guarded by mu, as all below
	failures int               // how many calls are to fail
	calls    int
}

func newRecordingSource(t topology.Topology) *recordingSource {
	return &recordingSource{Manual: topology.NewManual(t), current: t}
}

func (s *recordingSource) RecordStore(_ context.Context, id topology.NodeID, store uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.failures > 0 {
		s.failures--
		return errors.New("the database is down")
	}
	next := s.current.Clone()
	for i := range next.Nodes {
		if next.Nodes[i].ID == id && next.Nodes[i].StoreID == 0 {
			next.Nodes[i].StoreID = store
			next.Epoch++
			s.current = *next
			return s.Set(*next)
		}
	}
	return nil
}

// Across restarts of clients, only the source can tell that a node's disk was exchanged.
func TestTheStoresOfNodesAreRecordedSoThatALaterClientKnowsAnAmnesiac(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		source := newRecordingSource(cluster.Topology())
		source.failures = 4
		open := func() *pairdb.Client {
			client, err := pairdb.Open(t.Context(), source, pairdb.WithDialer(cluster.Dial))
			require.NoError(t, err)
			t.Cleanup(func() { _ = client.Close(context.Background()) })
			require.NoError(t, client.Ready(t.Context()))
			time.Sleep(time.Minute)
			return client
		}
		first := open()
		for _, n := range first.Topology().Nodes {
			require.Equal(t, cluster.NodeByID(n.ID).StoreID(), n.StoreID)
		}
		require.NoError(t, first.Close(context.Background()))
		calls := source.calls
		cluster.Node(0).Wipe()
		health := open().Health()
		require.Equal(t, calls, source.calls, "a store that is recorded is not recorded again")
		amnesiacs := 0
		for _, n := range health.Nodes {
			if n.Amnesiac {
				amnesiacs++
				require.Equal(t, cluster.Node(0).ID(), n.Node)
			}
		}
		require.Equal(t, 1, amnesiacs)
	})
}
