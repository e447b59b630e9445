package pairdbtest

import (
	"context"
	"fmt"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

// Owners returns the nodes that hold a key, in preference order: as many as the
// tenant has replicas (three, if it is unknown), or all where there are fewer.
func (c *Cluster) Owners(tenantID, key string) []*Node {
	t := c.Topology()
	ring, err := t.Ring()
	if err != nil {
		c.fail(err) // SetTopology lets no such topology pass
	}
	var owners []*Node
	for _, i := range ring.Owners(ring.Partition(ring.Token(tenantID, key)), min(c.replicas(tenantID), len(t.Nodes))) {
		if n := c.NodeByID(t.Nodes[i].ID); n != nil {
			owners = append(owners, n)
		}
	}
	return owners
}

func (c *Cluster) replicas(tenantID string) int {
	if cfg, err := c.cfg.tenants.Get(context.Background(), tenantID); err == nil {
		return cfg.Replicas
	}
	return tenant.DefaultReplicas
}

// Plant stores the values as concurrent siblings of each other, and of what the
// key holds already, on all owners: as if as many clients had written without
// seeing each other, the first value first. For tenants whose policy is Causal.
func (c *Cluster) Plant(tenantID, key string, values ...string) {
	if cfg, err := c.cfg.tenants.Get(context.Background(), tenantID); err == nil && cfg.Policy != vclock.Causal {
		c.fail(fmt.Errorf("pairdbtest: plant: the tenant %q is %v: its keys have no siblings", tenantID, cfg.Policy))
		return
	}
	var state vclock.State
	now := c.cfg.now().UnixMilli()
	for i, value := range values {
		dot := vclock.Dot{
			Actor: vclock.Actor(c.uint64()).Block(),
			Stamp: vclock.StampOf(now, uint16(i)), //nolint:gosec // more siblings than a node takes
		}
		state = vclock.Join(vclock.Causal, state,
			vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: []byte(value)}))
	}
	c.PlantState(tenantID, key, vclock.Causal, state)
}

// PlantState joins a state into what the nodes hold, running or not, past all
// faults and limits: as repair between nodes does. No nodes are all owners.
func (c *Cluster) PlantState(tenantID, key string, p vclock.Policy, s vclock.State, nodes ...*Node) {
	if len(nodes) == 0 {
		nodes = c.Owners(tenantID, key)
	}
	policy := storagepb.Policy_CAUSAL
	if p == vclock.LastWriteWins {
		policy = storagepb.Policy_LAST_WRITE_WINS
	}
	for _, n := range nodes {
		err := n.merge(&wire.Operation{
			Kind: storagepb.Kind_MERGE, Origin: storagepb.Origin_NODE, Policy: policy,
			Tenant: tenantID, Key: []byte(key), State: s,
		})
		if err != nil {
			c.fail(fmt.Errorf("pairdbtest: plant %s/%q on %s: %w", tenantID, key, n.id, err))
			return
		}
	}
}

// merge runs op on the node's store.
func (n *Node) merge(op *wire.Operation) error {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	core := n.latestCore()
	if n.running() == nil {
		var err error
		if core, err = n.open(nil); err != nil {
			return err
		}
		defer core.Close()
		n.mu.Lock()
		n.core = core
		n.mu.Unlock()
	}
	answer := core.Do(op)
	if answer.Status != storagepb.Status_OK {
		return fmt.Errorf("%v: %s", answer.Status, answer.Detail)
	}
	return nil
}
