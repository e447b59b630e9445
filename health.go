package pairdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

// Health is what a client knows of the cluster without asking.
type Health struct {
	Cluster string
	Epoch   uint64
	// TopologyAge is how long the topology has been in force in this client.
	TopologyAge time.Duration
	Partitions  int
	// BelowQuorum is the number of partitions of which, at three replicas (or as many
	// as there are nodes, if fewer), too few owners are up for the client's default levels.
	BelowQuorum int
	Nodes       []NodeHealth
}

// NodeHealth is one node's.
type NodeHealth struct {
	Node        topology.NodeID
	Addr        string
	Zone        string
	State       replica.State
	Since       time.Time // of the state
	Err         error     // why it is not up
	Amnesiac    bool      // it came back with another store, and counts for no quorum
	StoreID     uint64
	ClockOffset time.Duration // its clock less ours, at the last handshake
	P95         time.Duration // of its answers to reads; 0 if not known yet
	InFlight    int           // operations unanswered
	NotDurable  bool          // it acknowledges writes before they are on disk
	Transport   string        // "frames" or "grpc", of the last connection; "" before the first (see WithGRPC)
}

// Ready reports whether every partition can reach the client's default levels.
func (h Health) Ready() bool { return h.BelowQuorum == 0 }

// Health returns what is known of the cluster. It does no I/O.
func (c *Client) Health() Health {
	v := c.view.Load()
	h := Health{
		Cluster:     v.topo.Cluster,
		Epoch:       v.topo.Epoch,
		TopologyAge: c.cfg.time().Sub(time.UnixMilli(c.since.Load())),
		Partitions:  v.ring.Partitions(),
	}
	usable := make([]bool, len(v.nodes))
	for i, n := range v.nodes {
		s := n.conn.Health()
		usable[i] = s.State == replica.Up && !s.Amnesiac
		h.Nodes = append(h.Nodes, NodeHealth{
			Node: n.ID, Addr: n.Addr, Zone: n.Zone, State: s.State, Since: s.Since, Err: s.Err,
			Amnesiac: s.Amnesiac, StoreID: s.StoreID, ClockOffset: s.ClockOffset, P95: s.P95,
			InFlight: s.InFlight, NotDurable: s.State == replica.Up && !s.Synced, Transport: s.Transport,
		})
	}
	h.BelowQuorum = c.belowQuorum(v, usable)
	return h
}

// readyReplicas is the replication factor that readiness is judged by: the default one.
const readyReplicas = 3

func (c *Client) belowQuorum(v *view, usable []bool) (below int) {
	replicas := min(readyReplicas, len(v.nodes))
	need, ok := c.cfg.levels.Read.Max(c.cfg.levels.Write, replicas).Need(replicas)
	if !ok {
		return v.ring.Partitions()
	}
	for p := range v.ring.Partitions() {
		up := 0
		for _, o := range v.ring.Owners(p, replicas) {
			if usable[o] {
				up++
			}
		}
		if up < need {
			below++
		}
	}
	return below
}

// Ready waits until enough owners of every partition are up for the client's
// default levels: one dead node of three does not make a service unready. When
// ctx ends first, the error says which nodes are not up, and why. It is ErrUnavailable.
func (c *Client) Ready(ctx context.Context) error {
	for {
		changed := c.nodes.changed()
		h := c.Health()
		if h.Ready() {
			return nil
		}
		select {
		case <-changed:
		case <-c.background.Done():
			return fmt.Errorf("pairdb: ready: %w", ErrClosed)
		case <-ctx.Done():
			return h.notReady(ctx.Err())
		}
	}
}

func (h Health) notReady(stopped error) error {
	var b strings.Builder
	fmt.Fprintf(&b, "pairdb: not ready: %d of %d partitions below quorum", h.BelowQuorum, h.Partitions)
	for _, n := range h.Nodes {
		switch {
		case n.State != replica.Up:
			fmt.Fprintf(&b, "; %s (%s) is %v", n.Node, n.Addr, n.State)
			if n.Err != nil {
				fmt.Fprintf(&b, ": %s", detail(n.Err))
			}
		case n.Amnesiac:
			fmt.Fprintf(&b, "; %s (%s) has lost its store", n.Node, n.Addr)
		}
	}
	return &notReadyError{text: b.String(), stopped: stopped}
}

type notReadyError struct {
	text    string
	stopped error
}

func (e *notReadyError) Error() string   { return e.text + ": " + e.stopped.Error() }
func (e *notReadyError) Unwrap() []error { return []error{ErrUnavailable, e.stopped} }
