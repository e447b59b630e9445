package pairdb

import (
	"fmt"
	"sync"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/topology"
)

// view is one topology with the connections to its nodes: immutable, swapped
// whole, and kept by a request from its start to the end of its tail.
type view struct {
	topo  *topology.Topology
	ring  *ring.Ring
	nodes []*node // parallel to topo.Nodes: what the ring's indices mean
}

// node is one storage node and the connection to it.
type node struct {
	topology.Node
	conn   *replica.Conn
	probes probes
}

// owners returns the indices into v.nodes of the n owners of a key.
func (v *view) owners(tenant, key string, n int) []int32 {
	return v.ring.Owners(v.ring.Partition(v.ring.Token(tenant, key)), n)
}

// succeed makes the view of the next topology: connections to nodes that stay as they
// were are kept, gone are those that nobody uses any longer. With prev nil it
// is the first.
func (c *Client) succeed(prev *view, t *topology.Topology) (next *view, gone []*replica.Conn, err error) {
	if err := t.Validate(); err != nil {
		return nil, nil, err
	}
	r, err := t.Ring()
	if err != nil {
		return nil, nil, err
	}
	if prev != nil {
		if err := canFollow(prev, t, r); err != nil {
			return nil, nil, err
		}
	}
	next = &view{topo: t, ring: r, nodes: make([]*node, len(t.Nodes))}
	kept := map[*replica.Conn]bool{}
	for i, n := range t.Nodes {
		if old := prev.find(n.ID); old != nil && old.Addr == n.Addr {
			old.conn.SetEpoch(t.Epoch)
			if n.StoreID != 0 {
				old.conn.AcceptStore(n.StoreID)
			}
			next.nodes[i] = &node{Node: n, conn: old.conn}
			kept[old.conn] = true
			continue
		}
		known := n
		if old := prev.find(n.ID); old != nil && n.StoreID == 0 {
			// At another address it must still be the same store.
			known.StoreID = old.conn.AcceptedStore()
		}
		next.nodes[i] = &node{Node: n, conn: c.connect(t, known)}
	}
	if prev != nil {
		for _, n := range prev.nodes {
			if !kept[n.conn] {
				gone = append(gone, n.conn)
			}
		}
	}
	return next, gone, nil
}

func (v *view) find(id topology.NodeID) *node {
	if v == nil {
		return nil
	}
	for _, n := range v.nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// canFollow refuses a topology under which some key would have other owners:
// nothing moves the data there.
func canFollow(prev *view, t *topology.Topology, r *ring.Ring) error {
	if err := t.Follows(prev.topo); err != nil {
		return err
	}
	if moved := ring.MostMoved(prev.ring, r); moved > 0 {
		return fmt.Errorf("topology epoch %d would move %.1f%% of the ownerships without their data: "+
			"only addresses, states and store ids may change", t.Epoch, moved*100)
	}
	return nil
}

func (c *Client) connect(t *topology.Topology, n topology.Node) *replica.Conn {
	return replica.New(replica.Config{
		Cluster:          t.Cluster,
		Node:             n.ID,
		Addr:             n.Addr,
		Epoch:            t.Epoch,
		StoreID:          n.StoreID,
		Dialer:           c.cfg.dial,
		TLS:              c.cfg.tls,
		GRPC:             c.cfg.grpc,
		MaxInFlight:      c.cfg.limits.MaxInFlight,
		MaxInFlightBytes: c.cfg.limits.MaxInFlightBytes,
		OnChange:         func(h replica.Health) { c.nodeChanged(n, h) },
		Rand:             c.cfg.random,
	})
}

// unusable returns the owners that can be sent nothing at the moment and those that lost
// their store.
func (v *view) unusable(owners []int32) (down, amnesiac quorum.Set) {
	for i, o := range owners {
		state, lost := v.nodes[o].conn.Standing()
		if state == replica.Down {
			down = down.With(i)
		}
		if lost {
			amnesiac = amnesiac.With(i)
		}
	}
	return down, amnesiac
}

// broadcast wakes all who wait for a change.
type broadcast struct {
	mu sync.Mutex
	ch chan struct{} // guarded by mu
}

// changed returns a channel that is closed at the next change.
func (b *broadcast) changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *broadcast) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
