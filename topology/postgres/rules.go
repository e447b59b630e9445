package postgres

import (
	"fmt"
	"math"

	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
)

// checkName returns nil if a cluster may have that name.
func checkName(cluster string) error {
	t := topology.Topology{Cluster: cluster, Epoch: 1, Nodes: []topology.Node{{ID: "n", Addr: "h:1"}}}
	return t.Validate()
}

// checkFirst returns nil if t may be the first topology of a cluster.
func checkFirst(cluster string, t *topology.Topology) error {
	if t.Cluster != cluster {
		return &topology.FieldError{Field: "Cluster", Reason: fmt.Sprintf("is %.64q, where the store is that of %q", t.Cluster, cluster)}
	}
	if t.Epoch > math.MaxInt64 {
		return &topology.FieldError{Field: "Epoch", Reason: fmt.Sprintf("%d is more than %d, the most that the database can keep", t.Epoch, int64(math.MaxInt64))}
	}
	return t.Validate()
}

// follow returns what is kept when next comes after has and moves nothing (invariant 7). The error is that of
// succeed, or ErrMoves.
func follow(has, next *topology.Topology) (*topology.Topology, error) {
	next, err := succeed(has, next)
	if err != nil {
		return nil, err
	}
	share, err := moved(has, next)
	if err != nil {
		return nil, err
	}
	if share > 0 {
		return nil, fmt.Errorf("%w: %.1f%% of the ownerships of a tenant would be on nodes without its keys; "+
			"only addresses, states and store ids may change", ErrMoves, share*100)
	}
	return next, nil
}

// followEmpty is follow where somebody says that there is nothing to move. Store ids that are recorded prove
// the opposite; that none is proves nothing. The error is that of succeed, or ErrInUse.
func followEmpty(has, next *topology.Topology) (*topology.Topology, error) {
	next, err := succeed(has, next)
	if err != nil {
		return nil, err
	}
	for _, n := range has.Nodes {
		if n.StoreID != 0 {
			return nil, fmt.Errorf("%w: store ids are recorded (%016x of node %q), so nodes have been used by clients: "+
				"data would be left behind", ErrInUse, n.StoreID, n.ID)
		}
	}
	return next, nil
}

// succeed returns next, with the store ids that were recorded and that it does not name (invariant 5), if it can
// come after has by all but who owns what. The error is topology.ErrInvalid or ErrEpoch.
func succeed(has, next *topology.Topology) (*topology.Topology, error) {
	next = next.Clone()
	for i := range next.Nodes {
		n := &next.Nodes[i]
		if old, ok := has.Node(n.ID); ok && n.StoreID == 0 {
			n.StoreID = old.StoreID
		}
	}
	if err := checkFirst(has.Cluster, next); err != nil {
		return nil, err
	}
	if next.Epoch != has.Epoch+1 {
		return nil, &EpochError{Cluster: has.Cluster, Given: next.Epoch, Has: has.Epoch}
	}
	if err := next.Follows(has); err != nil {
		return nil, err
	}
	return next, nil
}

// moved returns the largest share of ownerships that differ, over all replication factors.
func moved(has, next *topology.Topology) (float64, error) {
	a, err := has.Ring()
	if err != nil {
		return 0, err
	}
	b, err := next.Ring()
	if err != nil {
		return 0, err
	}
	return ring.MostMoved(a, b), nil
}

// withStore returns has with another store of a node, and the epoch after, or nil if it has that one already.
func withStore(has *topology.Topology, node topology.NodeID, store uint64) (*topology.Topology, error) {
	if store == 0 {
		return nil, &topology.FieldError{Field: "store", Reason: "is 0, which stands for an unknown one"}
	}
	for i := range has.Nodes {
		if has.Nodes[i].ID != node {
			continue
		}
		if has.Nodes[i].StoreID == store {
			return nil, nil //nolint:nilnil // nothing is to change
		}
		next := has.Clone()
		next.Epoch++
		next.Nodes[i].StoreID = store
		return next, checkFirst(has.Cluster, next)
	}
	return nil, &topology.FieldError{Field: "node", Reason: fmt.Sprintf("there is no node %.64q in cluster %q", node, has.Cluster)}
}
