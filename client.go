package pairdb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/vclock"
)

// Client is a coordinator: it holds the ring, runs the quorums and talks to the
// storage nodes. Make one per process and share it: it is safe for any number
// of goroutines.
type Client struct {
	cfg    config
	source topology.Source
	view   atomic.Pointer[view]
	since  atomic.Int64 // Unix milliseconds at which the view took effect

	tenants  *tenants
	clock    clockSource
	memory   *memory
	actor    vclock.Actor // of last-write-wins writes, which need no lanes
	turns    turns
	writes   sync.Pool // of *writeRequest
	reads    sync.Pool // of *readRequest
	hedges   budget
	counters counters
	gate     *gate
	nodes    broadcast

	background context.Context // ends when Close begins to cut
	stop       context.CancelFunc
	tasks      sync.WaitGroup // all goroutines that the client started
	closing    sync.Once
	closed     chan struct{} // closed when Close has cut and joined everything
}

// Open makes a client for the cluster that src describes. It waits for a valid
// topology until ctx ends, and contacts no node: a cluster that is down makes calls fail,
// not Open. Use Ready to wait for nodes.
//
// Errors: InputError for an option, topology.ErrInvalid, or what the source
// reported when ctx ended.
func Open(ctx context.Context, src topology.Source, opts ...Option) (*Client, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("pairdb: open: %w", err)
	}
	if src == nil {
		return nil, fmt.Errorf("pairdb: open: %w", &InputError{Field: "topology", Reason: "the source is nil"})
	}
	first, err := firstTopology(ctx, src)
	if err != nil {
		return nil, fmt.Errorf("pairdb: open: topology: %w", err)
	}
	tenants, err := newTenants(cfg.tenants, cfg.log)
	if err != nil {
		return nil, fmt.Errorf("pairdb: open: tenants: %w", err)
	}
	c := &Client{
		cfg:     cfg,
		source:  src,
		tenants: tenants,
		clock:   clockSource{now: cfg.now},
		memory:  newMemory(cfg.limits.KeyMemory, cfg.random),
		actor:   vclock.Actor(cfg.random()),
		gate:    newGate(),
		closed:  make(chan struct{}),
	}
	forWrites, forReads := newChimes(), newChimes() // which are due much earlier
	c.writes.New = func() any { return &writeRequest{waiter: forWrites.waiter()} }
	c.reads.New = func() any { return &readRequest{waiter: forReads.waiter()} }
	c.background, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	v, _, err := c.succeed(nil, first)
	if err != nil {
		c.stop()
		c.tenants.close()
		return nil, fmt.Errorf("pairdb: open: topology: %w", err)
	}
	c.install(v)
	c.tenants.tellStale(c.tenantStale)
	c.start(c.watchTopology)
	if r, ok := src.(topology.Recorder); ok {
		c.start(func() { c.recordStores(r) })
	}
	return c, nil
}

// start runs f on a goroutine that Close joins.
func (c *Client) start(f func()) {
	c.tasks.Add(1)
	go func() {
		defer c.tasks.Done()
		f()
	}()
}

// Tenant returns a handle on one tenant's keys. It does no I/O and never fails: a bad
// or unknown id fails the calls. Handles are cheap; keep one or make one per call.
func (c *Client) Tenant(id string) *Tenant {
	return &Tenant{c: c, id: id, invalid: checkTenant(id)}
}

// Topology returns the topology in force: shared, not to be changed.
func (c *Client) Topology() *topology.Topology { return c.view.Load().topo }

// Close refuses further calls, waits until those that run, and the tails of
// writes, have ended or ctx ends, then cuts the connections and joins all
// goroutines. It returns ctx's error if something had to be cut: then some owners
// may lack a write that others acknowledged. Closing again waits for the first.
func (c *Client) Close(ctx context.Context) error {
	var err error
	first := false
	c.closing.Do(func() { first = true })
	if !first {
		select {
		case <-c.closed:
			return nil
		default:
		}
		select {
		case <-c.closed:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	c.gate.shut()
	if err = c.gate.wait(ctx); err != nil {
		err = fmt.Errorf("pairdb: close: cut with %d requests unfinished: %w", c.gate.inside(), err)
	}
	c.stop()
	c.tasks.Wait() // from here on the view is the last one
	c.closeConns(ctx, c.view.Load().conns())
	c.tenants.close()
	close(c.closed)
	return err
}

// closeConns cuts what is still unanswered, since whoever could wait has waited.
func (c *Client) closeConns(ctx context.Context, conns []*replica.Conn) {
	var all sync.WaitGroup
	for _, conn := range conns {
		all.Go(func() { _ = conn.Close(ctx) })
	}
	all.Wait()
}

func (v *view) conns() []*replica.Conn {
	conns := make([]*replica.Conn, len(v.nodes))
	for i, n := range v.nodes {
		conns[i] = n.conn
	}
	return conns
}

// The pace of asking a topology source again after an error.
const (
	watchBackoffMin = 100 * time.Millisecond
	watchBackoffMax = 10 * time.Second
)

// firstTopology waits for the source's current topology; a temporary failure is
// tried again until ctx ends.
func firstTopology(ctx context.Context, src topology.Source) (*topology.Topology, error) {
	for backoff := watchBackoffMin; ; backoff = min(2*backoff, watchBackoffMax) {
		t, err := watch(ctx, src, 0)
		if err == nil || errors.Is(err, topology.ErrInvalid) || ctx.Err() != nil {
			return t, err
		}
		if sleep(ctx, backoff) != nil {
			return nil, err
		}
	}
}

// watch asks the source, and takes an answer that breaks its contract for an error.
func watch(ctx context.Context, src topology.Source, after uint64) (*topology.Topology, error) {
	t, err := src.Watch(ctx, after)
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, errors.New("the source returned no topology and no error")
	case after > 0 && t.Epoch <= after:
		return nil, fmt.Errorf("the source returned epoch %d when asked for one after %d", t.Epoch, after)
	}
	return t, nil
}

// watchTopology follows the source until the client closes.
func (c *Client) watchTopology() {
	epoch, backoff := c.Topology().Epoch, watchBackoffMin
	for {
		t, err := watch(c.background, c.source, epoch)
		if c.background.Err() != nil {
			return
		}
		if err != nil {
			c.counters.topologyErrors.Add(1)
			c.cfg.log.Warn("topology source failed; going on with the topology in force", "epoch", c.Topology().Epoch, "error", err)
			c.topologyEvent(TopologyChange{Err: err})
			if sleep(c.background, backoff) != nil {
				return
			}
			backoff = min(2*backoff, watchBackoffMax)
			continue
		}
		epoch, backoff = t.Epoch, watchBackoffMin
		next, gone, err := c.succeed(c.view.Load(), t)
		if err != nil {
			c.counters.topologyErrors.Add(1)
			c.cfg.log.Warn("topology refused; going on with the one in force", "epoch", c.Topology().Epoch, "error", err)
			c.topologyEvent(TopologyChange{Topology: t, Err: err})
			continue
		}
		c.install(next)
		// Requests that began under the former view may still use these: give
		// their tails the time that they have.
		if len(gone) > 0 {
			c.start(func() {
				_ = sleep(c.background, defaultTail)
				c.closeConns(c.background, gone)
			})
		}
	}
}

func (c *Client) install(v *view) {
	c.view.Store(v)
	c.since.Store(c.cfg.time().UnixMilli())
	c.cfg.log.Info("topology in force", "cluster", v.topo.Cluster, "epoch", v.topo.Epoch, "nodes", len(v.nodes))
	c.topologyEvent(TopologyChange{Topology: v.topo})
	c.nodes.wake()
}

func (c *Client) topologyEvent(e TopologyChange) {
	for _, h := range c.cfg.hooks.topology {
		h.OnTopology(e)
	}
}

// nodeChanged runs on a goroutine of the node's connection.
func (c *Client) nodeChanged(n topology.Node, h replica.Health) {
	switch {
	case h.Amnesiac:
		c.cfg.log.Warn("node came back with another store: written to, but counted for no quorum until "+
			"the topology names its store id", "node", n.ID, "addr", n.Addr, "store", fmt.Sprintf("%016x", h.StoreID))
	case h.State == replica.Down:
		c.cfg.log.Warn("node down", "node", n.ID, "addr", n.Addr, "error", h.Err)
	default:
		c.cfg.log.Info("node "+h.State.String(), "node", n.ID, "addr", n.Addr)
	}
	c.nodes.wake()
	for _, hook := range c.cfg.hooks.node {
		hook.OnNodeState(NodeState{Node: n.ID, Addr: n.Addr, Health: h})
	}
}

func (c *Client) tenantStale(s tenant.Stale) {
	c.counters.tenantsStale.Add(1)
	for _, h := range c.cfg.hooks.stale {
		h.OnTenantStale(TenantStale{Tenant: s.ID, Age: s.Age, Err: s.Err})
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
