package topology

import (
	"cmp"
	"slices"

	"github.com/devrev/pairdb/ring"
)

// DefaultPartitions is the partition count where a topology leaves it out.
const DefaultPartitions = ring.DefaultPartitions

// A Topology is one version of what the cluster is.
type Topology struct {
	// Cluster names the cluster: 1 to MaxNameLen of [A-Za-z0-9._-]. Nodes refuse
	// coordinators of another.
	Cluster string
	// Epoch is the version of the topology, from 1.
	Epoch uint64
	// Partitions is the number of equal slices of token space: a power of two, at most
	// MaxPartitions; 0 is DefaultPartitions. Fixed when the cluster is created.
	Partitions int
	// Hash makes tokens of keys. Fixed when the cluster is created.
	Hash ring.Hash
	// Nodes are the storage nodes, at least one and at most MaxNodes, in any order.
	Nodes []Node
}

// Node returns the node of that id, and whether there is one.
func (t *Topology) Node(id NodeID) (Node, bool) {
	for i := range t.Nodes {
		if t.Nodes[i].ID == id {
			return t.Nodes[i], true
		}
	}
	return Node{}, false
}

// Clone returns a copy that shares nothing with t. The clone of nil is nil.
func (t *Topology) Clone() *Topology {
	if t == nil {
		return nil
	}
	c := *t
	c.Nodes = slices.Clone(t.Nodes)
	return &c
}

// Equal reports whether t and o say the same, epochs included: a default that is
// left out equals one that is spelled out, and the order of nodes does not
// matter. A nil topology equals nil alone.
func (t *Topology) Equal(o *Topology) bool {
	if t == nil || o == nil {
		return t == o
	}
	return t.Cluster == o.Cluster && t.Epoch == o.Epoch && t.Hash == o.Hash &&
		t.partitions() == o.partitions() &&
		slices.Equal(t.canonicalNodes(), o.canonicalNodes())
}

// Ring returns the placement of keys on t's nodes. Owners are indexes into t.Nodes.
// The error is t's from Validate.
func (t *Topology) Ring() (*ring.Ring, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	nodes := make([]ring.Node, len(t.Nodes))
	for i, n := range t.Nodes {
		nodes[i] = ring.Node{ID: string(n.ID), Zone: n.Zone, Weight: n.weight()}
	}
	return ring.New(ring.Config{Partitions: t.partitions(), Hash: t.Hash}, nodes)
}

func (t *Topology) partitions() int {
	if t.Partitions == 0 {
		return DefaultPartitions
	}
	return t.Partitions
}

// canonicalNodes returns a copy of the nodes by id, with defaults spelled out.
func (t *Topology) canonicalNodes() []Node {
	nodes := slices.Clone(t.Nodes)
	for i := range nodes {
		nodes[i].Weight = nodes[i].weight()
	}
	slices.SortStableFunc(nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
	return nodes
}

func (n Node) weight() float64 {
	if n.Weight == 0 {
		return 1
	}
	return n.Weight
}
