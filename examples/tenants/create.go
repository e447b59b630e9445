package main

import (
	"context"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/topology"
)

const (
	payments = "payments"
	sessions = "sessions"
)

// twoTenants are what an operator creates, once.
var twoTenants = []tenant.Config{
	{ID: payments, Replicas: 5, Read: quorum.Quorum, Write: quorum.Quorum, Policy: pairdb.Causal},
	{ID: sessions, Replicas: 2, Read: quorum.One, Write: quorum.All, Policy: pairdb.LastWriteWins},
}

// shortTTL is how old a tenant grows here before it is read again. It is a minute by default: too long
// to be waited for by who watches.
const shortTTL = time.Second

// createAll makes the tables, the topology and the tenants, and opens this process's client.
func (s *stage) createAll(ctx context.Context) error {
	s.out.step("The topology and two tenants, created and read back")
	a, err := connect(ctx, s.backends, shortTTL)
	s.app = a // to be closed in any case
	if err != nil {
		return err
	}
	if err := s.createTopology(ctx); err != nil {
		return err
	}
	if err := a.store.Migrate(ctx); err != nil {
		return err
	}
	if err := a.open(ctx, s.backends, openOption{hooks: []pairdb.Hook{&s.events}}); err != nil {
		return err
	}
	for _, c := range twoTenants {
		if _, err := a.client.Tenants().Create(ctx, c); err != nil {
			return err
		}
	}
	if err := s.showTopology(ctx); err != nil {
		return err
	}
	if err := s.showTenants(ctx); err != nil {
		return err
	}
	s.follower, err = s.startWorker(ctx, "follow")
	if err == nil {
		_, err = s.follower.await(ctx, "ready")
	}
	return err
}

func (s *stage) createTopology(ctx context.Context) error {
	if err := s.app.topology.Migrate(ctx); err != nil {
		return err
	}
	t := topology.Topology{Cluster: s.Cluster, Epoch: 1}
	for i, addr := range s.addrs {
		t.Nodes = append(t.Nodes, topology.Node{ID: topology.NodeID(nodeName(i)), Addr: addr})
	}
	return s.app.topology.Create(ctx, t)
}

// showTopology waits until the client has recorded which store each node has.
func (s *stage) showTopology(ctx context.Context) error {
	var t *topology.Topology
	err := wait(ctx, func() (all bool, err error) {
		t, err = s.app.topology.Current(ctx)
		if err != nil {
			return false, err
		}
		for _, n := range t.Nodes {
			if n.StoreID == 0 {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	s.out.line("cluster %s, epoch %d: created with 1, and one more for each store recorded", t.Cluster, t.Epoch)
	for _, n := range t.Nodes {
		s.out.line("  %-4s %-18s store %016x", n.ID, n.Addr, n.StoreID)
	}
	s.out.expect(len(t.Nodes) == nodeCount && t.Epoch == 1+nodeCount, "%d nodes, epoch %d", nodeCount, 1+nodeCount)
	return nil
}

func (s *stage) showTenants(ctx context.Context) error {
	kept, err := s.app.client.Tenants().List(ctx, "", 0)
	if err != nil {
		return err
	}
	s.out.line("%-11s%9s  %-8s%-8s%-17s%s", "tenant", "replicas", "read", "write", "policy", "version")
	for _, c := range kept {
		s.out.line("%-11s%9d  %-8v%-8v%-17v%d", c.ID, c.Replicas, c.Read, c.Write, c.Policy, c.Version)
	}
	s.out.expect(len(kept) == len(twoTenants), "%d tenants", len(twoTenants))
	return nil
}
