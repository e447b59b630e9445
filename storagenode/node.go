package storagenode

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// Stats are counts since the node was opened, and what is in hand.
type Stats = node.Stats

// A Node is one open store and its server. It is safe for use by many goroutines.
type Node struct {
	engine Engine
	core   *node.Core
	server *node.Server
	grpc   *grpc.Server
	health *health.Server
	tls    *tls.Config // nil is plaintext
	made   bool

	closeOnce sync.Once
	closed    chan struct{} // closed when closeErr is set
	closeErr  error
}

// Open opens, or makes, the store of node id in dir, which is empty with Memory
// and WithEngine. Errors: ErrConfig, ErrLocked, ErrForeignStore, ErrDamaged, and
// what the file system says.
func Open(dir string, id Identity, opts ...Option) (*Node, error) {
	o := defaults()
	for _, opt := range opts {
		opt.apply(&o)
	}
	if err := o.validate(dir); err != nil {
		return nil, err
	}
	if err := validateCore(id, o.core); err != nil {
		return nil, err
	}
	engine, err := o.open(dir)
	if err != nil {
		return nil, err
	}
	made := false
	o.core.Random = func() uint64 { // asked for the id of a store that has none
		made = true
		return rand.Uint64()
	}
	healthy := health.NewServer()
	healthy.SetServingStatus(storagepb.Storage_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	o.core.OnFailure = func(error) { healthy.Shutdown() }
	if _, onDisk := engine.(*pebbleEngine); onDisk {
		o.core.CacheBytes = int(o.cache)
	}
	core, err := node.New(engine, id, o.core)
	if err != nil {
		return nil, joinNew(err, engine.Close())
	}
	n := &Node{engine: engine, core: core, server: node.NewServer(core), health: healthy, tls: o.tls, made: made, closed: make(chan struct{})}
	if made && dir != "" {
		o.core.Log.Warn("made a new, empty store; if there should be data, its disk is perhaps not mounted",
			"dir", dir, "cluster", id.Cluster, "node", id.Node, "store", StoreIDString(core.StoreID()))
	}
	n.grpc = grpc.NewServer(serverOptions()...)
	storagepb.RegisterStorageServer(n.grpc, n.server)
	healthpb.RegisterHealthServer(n.grpc, n.health)
	reflection.Register(n.grpc)
	return n, nil
}

// validateCore tries the core's settings in memory, so that a wrong one leaves no
// directory behind.
func validateCore(id Identity, c node.Config) error {
	core, err := node.New(NewMemory(), id, c)
	if err == nil {
		core.Close()
	}
	return err
}

func (o *options) open(dir string) (Engine, error) {
	switch {
	case o.engine != nil:
		return o.engine, nil
	case o.memory:
		return NewMemory(), nil
	}
	return openPebble(pebbleConfig{dir: dir, fs: o.fs, cache: o.cache, reserve: o.reserve, log: o.core.Log, slow: slowDisk})
}

// slowDisk is what one operation on the disk may take before it is logged: far
// beyond any disk that works, below the time in which clients give up.
const slowDisk = 5 * time.Second

const (
	windowBytes = 8 << 20 // of flow control, fixed: the estimator costs round trips and guesses low on fast links

	// messageBytes bounds one frame in both directions: many operations share a
	// frame, and the largest answer alone has 24 MiB. Coordinators take as much.
	messageBytes = 64 << 20

	// streamsPerConn bounds what one connection can ask the node to keep: a coordinator
	// has a few exchanges per connection, a probe and a health watch.
	streamsPerConn = 64

	fewestPing    = 5 * time.Second
	serverPing    = 15 * time.Second
	serverPatient = 10 * time.Second
)

func serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(wire.Codec{}),
		grpc.InitialWindowSize(windowBytes),
		grpc.InitialConnWindowSize(windowBytes),
		grpc.MaxRecvMsgSize(messageBytes),
		grpc.MaxSendMsgSize(messageBytes),
		grpc.MaxConcurrentStreams(streamsPerConn),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: fewestPing - time.Second, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: serverPing, Timeout: serverPatient}),
	}
}

// Serve serves connections of l until Close, and then returns nil. It closes l.
// Several listeners may be served at once.
func (n *Node) Serve(l net.Listener) error {
	if err := n.server.Serve(l, n.tls, n.grpc); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}

// Close refuses what comes from then on with a status that makes coordinators
// move on at once, finishes what is in hand until ctx ends, ends all connections
// and closes the store. Its error tells what was left unanswered, why the store
// failed if it has (Err), and what closing it said: with NoSync an error may mean
// that acknowledged merges are lost.
//
// On a disk that hangs it gives up two seconds after ctx has ended, with an error
// that wraps ctx's; the work goes on in a goroutine, as far as the disk lets it.
// Calls after the first wait for the same end, each until its own ctx, and return
// the same error.
func (n *Node) Close(ctx context.Context) error {
	n.closeOnce.Do(func() {
		go func() {
			n.closeErr = n.close(ctx)
			close(n.closed)
		}()
	})
	select {
	case <-n.closed:
		return n.closeErr
	case <-ctx.Done():
	}
	patience := time.NewTimer(overtime)
	defer patience.Stop()
	select {
	case <-n.closed:
		return n.closeErr
	case <-patience.C:
		return fmt.Errorf("the store is not closed, its disk may hang: %w", errors.Join(ctx.Err(), n.core.Err()))
	}
}

func (n *Node) close(ctx context.Context) error {
	n.health.Shutdown()
	err := n.server.Shutdown(ctx)
	n.hangUp(ctx)
	n.server.Wait()
	n.core.Close()
	return errors.Join(err, joinNew(n.core.Err(), n.engine.Close()))
}

// joinNew joins to err another error, unless err says it already.
func joinNew(err, another error) error {
	if another == nil || errors.Is(err, another) {
		return err
	}
	return errors.Join(err, another)
}

const (
	// lastWords bounds the time in which the last answers reach the wire, and other
	// calls (a health watch never ends by itself) get to end.
	lastWords = time.Second

	// overtime is what a disk that works has for closing the store after ctx.
	overtime = 2 * time.Second
)

func (n *Node) hangUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	stop := context.AfterFunc(ctx, n.grpc.Stop)
	defer stop()
	n.grpc.GracefulStop()
}

// StoreID returns the random number that the store got when it was made.
func (n *Node) StoreID() uint64 { return n.core.StoreID() }

// Made reports whether Open made the store, empty and with a new id, since it found none.
func (n *Node) Made() bool { return n.made }

// Stats returns the node's counts.
func (n *Node) Stats() Stats { return n.core.Stats() }

// Err returns why the node answers everything with DISK; nil while it works.
func (n *Node) Err() error { return n.core.Err() }

// StoreIDString returns a store id as logs and the program write it.
func StoreIDString(id uint64) string { return node.StoreIDString(id) }
