package topology_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sample returns a topology that uses every field.
func sample() topology.Topology {
	return topology.Topology{
		Cluster:    "shop",
		Epoch:      7,
		Partitions: 1024,
		Hash:       ring.SHA256,
		Nodes: []topology.Node{
			{ID: "n1", Addr: "10.0.0.1:7400", Zone: "a", Weight: 1.5, StoreID: 0xc0ffee},
			{ID: "n2", Addr: "[fd00::2]:7400", Zone: "b", State: topology.Draining},
			{ID: "n3", Addr: "n3.example:7400"},
		},
	}
}
