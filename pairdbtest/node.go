package pairdbtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/topology"
)

// A Node is one storage node: the real one's core on a store in memory, which
// stands for a disk that keeps what it synced.
type Node struct {
	cluster *Cluster
	id      topology.NodeID
	addr    string
	network network
	faults  faults
	audit   audit

	turn chan struct{} // holds a token while the node is being started, stopped or planted

	mu    sync.Mutex // guards what follows
	store *node.Memory
	core  *node.Core // of the run under way, else of the last one; nil for a store that was never opened
	run   *run       // nil when stopped
}

// A run is one life of a node's process.
type run struct {
	core     *node.Core
	server   *node.Server
	grpc     *grpc.Server
	listener *listener
	serving  sync.WaitGroup
}

func newNode(c *Cluster, index int) *Node {
	n := &Node{
		cluster: c,
		id:      topology.NodeID(fmt.Sprintf("n%d", index+1)),
		addr:    fmt.Sprintf("n%d:7400", index+1),
		turn:    make(chan struct{}, 1),
		store:   node.NewMemory(),
	}
	n.faults.breakConns, n.faults.frozen = n.network.breakAll, &n.network.frozen
	return n
}

// ID returns the node's id: n1, n2 …
func (n *Node) ID() topology.NodeID { return n.id }

// Addr returns the address under which the topology has the node.
func (n *Node) Addr() string { return n.addr }

// Running reports whether the node's process runs, frozen or not.
func (n *Node) Running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.run != nil
}

// StoreID returns the id of the node's store; 0 after Wipe of a stopped node,
// until Start.
func (n *Node) StoreID() uint64 {
	if core := n.latestCore(); core != nil {
		return core.StoreID()
	}
	return 0
}

// Start starts a node that is stopped, on the store that it had.
func (n *Node) Start() {
	if err := n.start(); err != nil {
		n.cluster.fail(err)
	}
}

// Stop kills the process, as SIGKILL does: connections break at once, what was in
// hand is answered no more, connecting is refused. The store keeps what was
// applied. A frozen node can be stopped; it starts thawed.
func (n *Node) Stop() {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	n.kill()
}

// Shutdown stops the process in good order: new operations are refused with a
// status that makes clients move on, those in hand are answered (for five
// seconds at most), then connections end.
func (n *Node) Shutdown() {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	r := n.running()
	if r == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownPatience)
	defer cancel()
	_ = r.server.Shutdown(ctx) // what is unanswered then is cut off
	goodbye := time.AfterFunc(goodbyePatience, n.network.breakAll)
	r.grpc.GracefulStop()
	goodbye.Stop()
	n.kill()
}

const (
	shutdownPatience = 5 * time.Second
	goodbyePatience  = time.Second
)

// Wipe replaces the store with an empty one, which gets another store id: a disk
// that was lost. A node that runs is killed and started again.
func (n *Node) Wipe() {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	ran := n.running() != nil
	n.kill()
	n.mu.Lock()
	n.store, n.core = node.NewMemory(), nil
	n.mu.Unlock()
	if ran {
		if err := n.launch(); err != nil {
			n.cluster.fail(err)
		}
	}
}

func (n *Node) start() error {
	n.turn <- struct{}{}
	defer func() { <-n.turn }()
	if n.running() != nil {
		return nil
	}
	return n.launch()
}

// launch needs the turn, and a node that is stopped.
func (n *Node) launch() error {
	core, err := n.open(&n.faults)
	if err != nil {
		return err
	}
	r := &run{
		core:     core,
		server:   node.NewServer(core),
		grpc:     grpc.NewServer(serverOptions()...),
		listener: n.network.listen(),
	}
	storagepb.RegisterStorageServer(r.grpc, r.server)
	r.serving.Go(func() { _ = r.server.Serve(r.listener, nil, r.grpc) }) // ends when the listener is closed
	n.mu.Lock()
	n.core, n.run = core, r
	n.mu.Unlock()
	return nil
}

// open opens the node's store.
func (n *Node) open(interceptor node.Interceptor) (*node.Core, error) {
	n.mu.Lock()
	store := n.store
	n.mu.Unlock()
	limits := n.cluster.cfg.limits
	core, err := node.New(store, node.Identity{Cluster: ClusterName, Node: string(n.id)}, node.Config{
		Limits: node.Limits{
			MaxValueBytes: limits.MaxValueBytes, MaxSiblings: limits.MaxSiblings,
			Skew: limits.Skew, Window: limits.Window,
		},
		Now:         n.now,
		Random:      n.cluster.uint64,
		Audit:       n.audit.add,
		Interceptor: interceptor,
		Software:    "pairdbtest",
	})
	if err != nil {
		return nil, fmt.Errorf("pairdbtest: start %s: %w", n.id, err)
	}
	return core, nil
}

func (n *Node) now() time.Time { return n.cluster.cfg.now().Add(n.faults.skewed()) }

// maxFrameBytes is what either side takes in one frame: the largest operation.
const maxFrameBytes = 64 << 20

func serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(wire.Codec{}),
		grpc.MaxRecvMsgSize(maxFrameBytes),
		grpc.MaxSendMsgSize(maxFrameBytes),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.WaitForHandlers(true),
	}
}

// kill needs the turn.
func (n *Node) kill() {
	n.mu.Lock()
	r := n.run
	n.run = nil
	n.mu.Unlock()
	if r == nil {
		return
	}
	_ = r.listener.Close()
	n.network.breakAll()
	killed, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.server.Shutdown(killed)
	r.grpc.Stop()
	r.serving.Wait()
	r.server.Wait()
	r.core.Close()
	n.Thaw()
}

func (n *Node) running() *run {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.run
}

func (n *Node) latestCore() *node.Core {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.core
}

var errRefused = errors.New("connection refused")
