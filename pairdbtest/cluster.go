package pairdbtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/topology"
)

// ClusterName is the name of every cluster that this package makes.
const ClusterName = "pairdbtest"

// MaxNodes bounds the nodes of a cluster: past it a process is the wrong place.
const MaxNodes = 64

// A Cluster is a set of storage nodes in this process. All methods may be called
// from any number of goroutines.
type Cluster struct {
	cfg    config
	tb     testing.TB // nil after Start
	source *topology.Manual
	nodes  []*Node

	mu       sync.Mutex        // guards what follows
	topology topology.Topology // as set last
	random   *rand.Rand
	clients  []*pairdb.Client
	closed   bool
}

// New starts a cluster of n nodes, named n1 and so on, for a test, and closes it
// with the clients that it made when the test ends. What is wrong with n or an
// option fails the test.
func New(tb testing.TB, n int, opts ...Option) *Cluster {
	tb.Helper()
	c, err := Start(n, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	c.tb = tb
	tb.Cleanup(c.Close)
	return c
}

// Start is New for programs and examples, which have to call Close.
func Start(n int, opts ...Option) (*Cluster, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > MaxNodes {
		return nil, fmt.Errorf("pairdbtest: %d nodes, not 1 to %d", n, MaxNodes)
	}
	c := &Cluster{
		cfg:    cfg,
		random: rand.New(rand.NewPCG(cfg.seed, 0)), //nolint:gosec // repeatable, for tests
		topology: topology.Topology{
			Cluster: ClusterName, Epoch: 1, Partitions: cfg.partitions,
		},
	}
	for i := range n {
		node := newNode(c, i)
		c.nodes = append(c.nodes, node)
		placed := topology.Node{ID: node.id, Addr: node.addr}
		if len(cfg.zones) > 0 {
			placed.Zone = cfg.zones[i%len(cfg.zones)]
		}
		c.topology.Nodes = append(c.topology.Nodes, placed)
	}
	if err := c.topology.Validate(); err != nil {
		return nil, fmt.Errorf("pairdbtest: %w", err)
	}
	c.source = topology.NewManual(c.topology)
	for _, node := range c.nodes {
		if err := node.start(); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// closePatience is how long Close lets writes that were acknowledged go on to
// the rest of their owners.
const closePatience = time.Second

// Close closes the clients and stops the nodes. It is idempotent.
func (c *Cluster) Close() {
	c.mu.Lock()
	clients := c.clients
	c.clients, c.closed = nil, true
	c.mu.Unlock()
	var all sync.WaitGroup
	for _, client := range clients {
		all.Go(func() { closeClient(client) })
	}
	all.Wait()
	for _, n := range c.nodes {
		all.Go(n.Stop)
	}
	all.Wait()
}

func closeClient(client *pairdb.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	_ = client.Close(ctx) // that it had to cut something is to be expected among faults
}

// Client opens a client that is closed when the test ends, or the cluster before.
// The options come after the cluster's own: WithDialer and WithTenants.
func (c *Cluster) Client(tb testing.TB, opts ...pairdb.Option) *pairdb.Client {
	tb.Helper()
	client, err := c.Open(context.Background(), opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeClient(client) })
	return client
}

// Open is Client for programs and examples: Close of the cluster closes the client,
// unless it is closed already.
func (c *Cluster) Open(ctx context.Context, opts ...pairdb.Option) (*pairdb.Client, error) {
	own := []pairdb.Option{pairdb.WithDialer(c.Dial), pairdb.WithTenants(c.cfg.tenants)}
	client, err := pairdb.Open(ctx, c.source, append(own, opts...)...)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	closed := c.closed
	if !closed {
		c.clients = append(c.clients, client)
	}
	c.mu.Unlock()
	if closed {
		closeClient(client)
		return nil, errors.New("pairdbtest: the cluster is closed")
	}
	return client, nil
}

// Dial connects to the node of that address, for pairdb.WithDialer.
func (c *Cluster) Dial(ctx context.Context, addr string) (net.Conn, error) {
	for _, n := range c.nodes {
		if n.addr == addr {
			return n.dial(ctx)
		}
	}
	return nil, fmt.Errorf("pairdbtest: dial %s: no such host", addr)
}

// Source tells clients what the cluster is, and follows SetTopology.
func (c *Cluster) Source() topology.Source { return c.source }

// Topology returns a copy of the topology in force.
func (c *Cluster) Topology() topology.Topology {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *c.topology.Clone()
}

// SetTopology puts a changed topology in force, at the next epoch. The error is
// topology.ErrInvalid; then nothing has changed. Nodes can be drained and store
// ids accepted, say; a node that the cluster does not have cannot be reached.
func (c *Cluster) SetTopology(change func(*topology.Topology)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := *c.topology.Clone()
	next.Epoch++
	change(&next)
	if err := c.source.Set(next); err != nil {
		return fmt.Errorf("pairdbtest: %w", err)
	}
	c.topology = next
	return nil
}

// FailTopology makes the source fail with err until SetTopology, or
// FailTopology(nil); clients go on with the topology that they have.
func (c *Cluster) FailTopology(err error) { c.source.Fail(err) }

// Node returns the node of that index: 0 is n1.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Nodes returns all nodes, n1 first.
func (c *Cluster) Nodes() []*Node { return append([]*Node(nil), c.nodes...) }

// NodeByID returns the node of that id, or nil.
func (c *Cluster) NodeByID(id topology.NodeID) *Node {
	for _, n := range c.nodes {
		if n.id == id {
			return n
		}
	}
	return nil
}

// Heal undoes every fault of every node, and starts those that are stopped.
func (c *Cluster) Heal() {
	for _, n := range c.nodes {
		n.clear()
		n.Start()
	}
}

func (c *Cluster) uint64() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.random.Uint64()
}

// fail reports the misuse of a method that returns no error.
func (c *Cluster) fail(err error) {
	if c.tb == nil {
		panic(err)
	}
	c.tb.Helper()
	c.tb.Fatal(err)
}
