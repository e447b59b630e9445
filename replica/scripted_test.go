package replica

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/devrev/pairdb/internal/memnet"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/devrev/pairdb/storagepb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is a node that does as the test says. Its fields are set before start.
type scripted struct {
	storagepb.UnimplementedStorageServer

	cluster, node string
	store         uint64
	clock         time.Duration // ahead of ours
	tls           *tls.Config   // nil is plaintext
	grpcOnly      bool          // it speaks no frames

	// answer is what an operation is answered with; nil is not at all. Called
	// from the stream's goroutine. Nil answers OK.
	answer func(*storagepb.Operation) *storagepb.Answer
	// greet holds up the welcome while it is open; nil does not.
	greet chan struct{}
	// hold keeps the node from reading operations while it is open; nil does not.
	hold chan struct{}

	mu      sync.Mutex // guards the rest
	batches []int      // operations per frame, in order
	ops     int
	streams int
	dials   int
	lis     *memnet.Listener
	end     func() // of the server
}

func newScripted() *scripted {
	return &scripted{cluster: "shop", node: "n1", store: 7}
}

// start makes the node reachable, after New or stop.
func (s *scripted) start() {
	lis := memnet.Listen(256 << 10)
	end := s.serve(lis)
	s.mu.Lock()
	s.lis, s.end = lis, end
	s.mu.Unlock()
}

// listen makes the node reachable by TCP, and returns its address.
func (s *scripted) listen(tb testing.TB) string {
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	tb.Cleanup(s.serve(lis))
	return lis.Addr().String()
}

// serve serves a listener, and returns how to end that.
func (s *scripted) serve(lis net.Listener) (end func()) {
	if !s.grpcOnly {
		return s.serveFrames(lis)
	}
	creds := insecure.NewCredentials()
	if s.tls != nil {
		creds = credentials.NewTLS(s.tls)
	}
	server := grpc.NewServer(
		grpc.Creds(creds),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(64<<20),
		grpc.WaitForHandlers(true),
	)
	storagepb.RegisterStorageServer(server, s)
	go func() { _ = server.Serve(lis) }() // ends with server.Stop
	return server.Stop
}

func (s *scripted) stop() {
	s.mu.Lock()
	end, lis := s.end, s.lis
	s.end, s.lis = nil, nil
	s.mu.Unlock()
	if end != nil {
		end()
		_ = lis.Close()
	}
}

var errRefused = errors.New("connection refused")

func (s *scripted) dial(ctx context.Context, _ string) (net.Conn, error) {
	s.mu.Lock()
	lis := s.lis
	s.dials++
	s.mu.Unlock()
	if lis == nil {
		return nil, errRefused
	}
	return lis.DialContext(ctx)
}

func (s *scripted) counts() (batches []int, ops, streams, dials int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.batches...), s.ops, s.streams, s.dials
}

func (s *scripted) Exchange(stream storagepb.Storage_ExchangeServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.streams++
	s.mu.Unlock()
	if first.GetHello().GetCluster() != s.cluster {
		return grpcstatus.Errorf(codes.FailedPrecondition, "this is cluster %q", s.cluster)
	}
	if err := wait(stream.Context(), s.greet); err != nil {
		return err
	}
	err = stream.Send(&storagepb.ServerFrame{Welcome: &storagepb.Welcome{
		Version: 1, Node: s.node, Store: s.store, Epoch: 3, Synced: true,
		TimeMs: time.Now().Add(s.clock).UnixMilli(), Limits: &storagepb.Limits{MaxSiblings: 64},
	}})
	for err == nil {
		if err = wait(stream.Context(), s.hold); err == nil {
			err = s.batch(stream)
		}
	}
	return err
}

func (s *scripted) batch(stream storagepb.Storage_ExchangeServer) error {
	in, err := stream.Recv()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.batches = append(s.batches, len(in.GetOperations()))
	s.ops += len(in.GetOperations())
	s.mu.Unlock()
	out := &storagepb.ServerFrame{}
	for _, op := range in.GetOperations() {
		a := &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
		if s.answer != nil {
			a = s.answer(op)
		}
		if a != nil {
			a.Id = op.GetId()
			out.Answers = append(out.Answers, a)
		}
	}
	return stream.Send(out)
}

func wait(ctx context.Context, gate chan struct{}) error {
	if gate == nil {
		return nil
	}
	select {
	case <-gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connect returns a Conn to the node, closed at the test's end.
func (s *scripted) connect(tb testing.TB, change func(*Config)) *Conn {
	cfg := Config{Cluster: "shop", Node: "n1", Addr: "127.0.0.1:7102", Epoch: 3, Dialer: s.dial}
	if change != nil {
		change(&cfg)
	}
	c := New(cfg)
	tb.Cleanup(func() {
		cut, cancel := context.WithCancel(context.Background())
		cancel()
		_ = c.Close(cut)
		s.stop()
	})
	return c
}

// A box is a handler that keeps results.
type box struct {
	results chan Result
}

func newBox(n int) *box { return &box{make(chan Result, n)} }

func (b *box) Complete(_ *Op, r Result) { b.results <- r }

func read(h Handler) *Op {
	return &Op{Kind: storagepb.Kind_READ_STATE, Tenant: "t", Key: "k", Handler: h}
}

// states are the states that a Conn goes through, as OnChange tells them.
type states chan Health

func (s states) tell(h Health) { s <- h }

// until returns the first Health that is in the state.
func (s states) until(tb testing.TB, want State) Health {
	tb.Helper()
	for {
		select {
		case h := <-s:
			if h.State == want {
				return h
			}
		case <-time.After(20 * time.Second):
			tb.Fatalf("the connection is not %v", want)
		}
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
