package node

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/devrev/pairdb/storagepb"
)

// The versions of the protocol that this package speaks.
const (
	minVersion = 1
	maxVersion = 1
)

// A Server speaks the protocol (storagepb.StorageServer) for a Core.
type Server struct {
	storagepb.UnimplementedStorageServer

	core *Core
	ctx  context.Context // ends when the streams are to end
	cut  context.CancelFunc
	work sync.WaitGroup // every goroutine that the server started
}

// NewServer returns a server for core, to be registered with a grpc.Server.
func NewServer(core *Core) *Server {
	s := &Server{core: core}
	s.ctx, s.cut = context.WithCancel(context.Background())
	return s
}

// Shutdown answers what comes with STOPPING, waits until what is in hand has been
// answered or ctx ends, and then ends all streams. It does not join their
// goroutines: a stream that cannot send ends with its connection, so stop the
// grpc.Server next, then call Wait.
func (s *Server) Shutdown(ctx context.Context) error {
	idle := s.core.load.stop()
	defer s.cut()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		ops, _ := s.core.load.inHand()
		return fmt.Errorf("%d operations in hand are unanswered: %w", ops, ctx.Err())
	}
}

// Wait joins the server's goroutines, after Shutdown and the end of the grpc.Server.
func (s *Server) Wait() { s.work.Wait() }

// Describe implements storagepb.StorageServer.
func (s *Server) Describe(context.Context, *storagepb.DescribeRequest) (*storagepb.DescribeResponse, error) {
	c := s.core
	return &storagepb.DescribeResponse{
		Cluster: c.identity.Cluster, Node: c.identity.Node, Store: c.store,
		TimeMs: c.config.Now().UnixMilli(), Synced: !c.config.NoSync, Limits: c.config.Limits.proto(),
		MinVersion: minVersion, MaxVersion: maxVersion, Software: c.config.Software,
	}, nil
}

// Exchange implements storagepb.StorageServer.
func (s *Server) Exchange(stream storagepb.Storage_ExchangeServer) error {
	return s.exchange(&grpcLink{stream})
}

// exchange serves one link until it is done, and returns why, for the client.
func (s *Server) exchange(l link) error {
	first, err := l.first()
	if err != nil {
		return err
	}
	welcome, err := s.welcome(first)
	if err != nil {
		return err
	}
	if err := l.greet(&storagepb.ServerFrame{Welcome: welcome}); err != nil {
		return err
	}
	return newExchange(s, l).serve()
}

// welcome answers the handshake, or refuses the stream.
func (s *Server) welcome(first *storagepb.ClientFrame) (*storagepb.Welcome, error) {
	c, hello := s.core, first.GetHello()
	switch {
	case hello == nil:
		return nil, status.Error(codes.InvalidArgument, "the first frame of a stream must be a hello")
	case len(first.GetOperations()) > 0:
		return nil, status.Error(codes.InvalidArgument, "the first frame of a stream carries a hello and nothing else")
	case hello.GetMaxVersion() < minVersion || hello.GetMinVersion() > maxVersion:
		return nil, status.Errorf(codes.Unimplemented, "this node speaks protocol versions %d to %d, the caller %d to %d",
			minVersion, maxVersion, hello.GetMinVersion(), hello.GetMaxVersion())
	case hello.GetCluster() != c.identity.Cluster:
		return nil, status.Errorf(codes.FailedPrecondition, "this node is of cluster %q, not %q", c.identity.Cluster, hello.GetCluster())
	case hello.GetNode() != c.identity.Node:
		return nil, status.Errorf(codes.FailedPrecondition, "this is node %q, not %q", c.identity.Node, hello.GetNode())
	}
	return &storagepb.Welcome{
		Version: min(maxVersion, hello.GetMaxVersion()),
		Node:    c.identity.Node, Store: c.store, TimeMs: c.config.Now().UnixMilli(),
		Synced: !c.config.NoSync, Limits: c.config.Limits.proto(),
	}, nil
}

// spawn starts a goroutine that Wait joins.
func (s *Server) spawn(f func()) { s.work.Go(f) }
