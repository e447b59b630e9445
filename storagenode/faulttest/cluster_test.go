//go:build unix

package faulttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

const (
	clusterName = "fault"
	readyLimit  = 30 * time.Second // of a client after everything was healed
	closeLimit  = 20 * time.Second // of a client with nothing wrong around it
)

// A cluster is nodes as processes, and coordinators, each with links of its own.
type cluster struct {
	t      testing.TB
	events *events
	nodes  []*process
	coords []*coordinator
}

// start runs the nodes and opens the coordinators. With memory the nodes forget. What runs at the end of
// the test is ended.
func start(t testing.TB, nodes, coordinators int, memory bool) *cluster {
	t.Helper()
	return startWith(t, nodes, coordinators, memory, nil)
}

// startWith does the same with flags for each node's program.
func startWith(t testing.TB, nodes, coordinators int, memory bool, flags func(node string) []string) *cluster {
	t.Helper()
	c := &cluster{t: t, events: newEvents()}
	t.Cleanup(c.end)
	dir := t.TempDir()
	for i := range nodes {
		p := &process{id: fmt.Sprintf("n%d", i+1)}
		if !memory {
			p.dir = filepath.Join(dir, p.id)
		}
		if flags != nil {
			p.flags = flags(p.id)
		}
		c.nodes = append(c.nodes, p)
		require.NoError(t, p.start(t.Context()))
	}
	for range coordinators {
		c.addCoordinator()
	}
	return c
}

// end ends every client, link and process. It may be called twice.
func (c *cluster) end() {
	for _, co := range c.coords {
		c.endCoordinator(co)
	}
	for _, p := range c.nodes {
		p.kill()
	}
}

func (c *cluster) endCoordinator(co *coordinator) {
	if err := co.close(closeLimit); err != nil {
		c.t.Logf("close %s: %v", co.name, err)
	}
	for _, l := range co.links {
		l.close()
	}
}

// heal restores every link and has every node run.
func (c *cluster) heal(ctx context.Context) error {
	for _, co := range c.coords {
		for _, l := range co.links {
			l.set(cut{})
		}
	}
	for _, p := range c.nodes {
		switch running := p.running(); {
		case running == nil:
			if err := p.start(ctx); err != nil {
				return err
			}
		case running.frozen:
			if err := p.thaw(); err != nil {
				return err
			}
		}
	}
	return nil
}

// A coordinator is a client that may be replaced while it is used.
type coordinator struct {
	name   string
	links  []*link // parallel to cluster.nodes
	topo   topology.Topology
	source *topology.Manual
	client atomic.Pointer[pairdb.Client]

	options []pairdb.Option // of the next client
}

func (c *cluster) addCoordinator() *coordinator {
	c.t.Helper()
	co := c.addLinks()
	require.NoError(c.t, co.open(c.t.Context()))
	return co
}

// addLinks makes a coordinator that has no client yet.
func (c *cluster) addLinks() *coordinator {
	c.t.Helper()
	co := &coordinator{name: fmt.Sprintf("c%d", len(c.coords)+1)}
	c.coords = append(c.coords, co)
	co.topo = topology.Topology{Cluster: clusterName, Epoch: 1}
	for _, p := range c.nodes {
		l, err := newLink(p.addr)
		require.NoError(c.t, err)
		co.links = append(co.links, l)
		co.topo.Nodes = append(co.topo.Nodes, topology.Node{ID: topology.NodeID(p.id), Addr: l.addr()})
	}
	co.source = topology.NewManual(co.topo)
	return co
}

func (c *cluster) removeCoordinator(co *coordinator) {
	c.endCoordinator(co)
	c.coords = slices.DeleteFunc(c.coords, func(o *coordinator) bool { return o == co })
}

// open makes the client, without waiting for nodes.
func (co *coordinator) open(ctx context.Context) error {
	client, err := pairdb.Open(ctx, co.source, co.options...)
	if err != nil {
		return err
	}
	co.client.Store(client)
	return nil
}

// close closes the client and gives what it has in hand so much time. Calls fail until open.
func (co *coordinator) close(within time.Duration) error {
	client := co.client.Load()
	if client == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return client.Close(ctx)
}

func (co *coordinator) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	return co.client.Load().Ready(ctx)
}

// requireEnded fails if a child that ever ran is still there.
func (c *cluster) requireEnded(t *testing.T) {
	t.Helper()
	for _, p := range c.nodes {
		for _, child := range p.everRan() {
			require.ErrorIs(t, child.cmd.Process.Signal(syscall.Signal(0)), os.ErrProcessDone, "a process of %s", p.id)
		}
	}
}

// allUp waits until the client sees every node up.
func (co *coordinator) allUp(ctx context.Context) error {
	return co.await(ctx, func(nodes []pairdb.NodeHealth) bool {
		return !slices.ContainsFunc(nodes, func(n pairdb.NodeHealth) bool { return n.State != replica.Up || n.Amnesiac })
	})
}

// await waits until the client's view of the nodes is as it should be.
func (co *coordinator) await(ctx context.Context, right func([]pairdb.NodeHealth) bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for {
		nodes := co.client.Load().Health().Nodes
		if right(nodes) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s sees %+v: %w", co.name, nodes, ctx.Err())
		case <-ticks.C:
		}
	}
}
