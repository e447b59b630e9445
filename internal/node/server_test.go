package node

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served is a node behind gRPC over an in-memory listener.
type served struct {
	core   *Core
	server *Server
	client storagepb.StorageClient
	close  func()
}

func serve(t *testing.T, engine Engine, config Config) *served {
	t.Helper()
	if config.Now == nil {
		config.Now = func() time.Time { return epoch }
	}
	core, err := New(engine, here, config)
	require.NoError(t, err)
	server := NewServer(core)
	listener := bufconn.Listen(1 << 20)
	g := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec{}))
	storagepb.RegisterStorageServer(g, server)
	done := make(chan error)
	go func() { done <- g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///node", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(1<<16), grpc.WithInitialConnWindowSize(1<<16), // fixed: what is unread waits at the node
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	closed := false
	s := &served{core: core, server: server, client: storagepb.NewStorageClient(conn)}
	s.close = func() {
		if closed {
			return
		}
		closed = true
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
		_ = conn.Close()
		g.Stop()
		require.NoError(t, <-done)
		server.Wait()
		core.Close()
	}
	t.Cleanup(s.close)
	return s
}

func (s *served) exchange(t *testing.T) storagepb.Storage_ExchangeClient {
	t.Helper()
	stream, err := s.client.Exchange(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&storagepb.ClientFrame{Hello: hello()}))
	frame, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, "n1", frame.GetWelcome().GetNode())
	require.Equal(t, s.core.StoreID(), frame.GetWelcome().GetStore())
	return stream
}

func hello() *storagepb.Hello {
	return &storagepb.Hello{MinVersion: 1, MaxVersion: 3, Cluster: "test", Node: "n1"}
}

func numbered(id uint64, op *wire.Operation) *wire.Operation {
	op.Id = id
	return op
}

// frameOf is a frame as any client would send it.
func frameOf(ops ...*wire.Operation) *storagepb.ClientFrame {
	var b []byte
	for _, op := range ops {
		b = wire.AppendOperation(b, op, string(op.Key))
	}
	frame := new(storagepb.ClientFrame)
	if err := proto.Unmarshal(b, frame); err != nil {
		panic(err)
	}
	return frame
}

func answersOf(frame *storagepb.ServerFrame) (all []*wire.Answer) {
	b, err := proto.Marshal(frame)
	if err != nil {
		panic(err)
	}
	decoded, _, err := wire.Answers(b, nil)
	if err != nil {
		panic(err)
	}
	for i := range decoded {
		all = append(all, &decoded[i])
	}
	return all
}

// answers receives n answers and returns them by id.
func answers(t *testing.T, stream storagepb.Storage_ExchangeClient, n int) map[uint64]*wire.Answer {
	t.Helper()
	got := map[uint64]*wire.Answer{}
	for len(got) < n {
		frame, err := stream.Recv()
		require.NoError(t, err)
		for _, a := range answersOf(frame) {
			require.NotContains(t, got, a.Id)
			got[a.Id] = a
		}
	}
	return got
}

func TestAStreamAnswersEveryOperationOfAFrameByItsID(t *testing.T) {
	s := serve(t, NewMemory(), Config{})
	stream := s.exchange(t)
	require.NoError(t, stream.Send(frameOf(
		numbered(1, write("a", at(1, 0), nil, "v")),
		numbered(2, write("", at(1, 0), nil, "v")),
		numbered(3, read("b", storagepb.Kind_READ_STATE)),
	)))
	got := answers(t, stream, 3)
	require1(t, storagepb.Status_OK, got[1])
	require1(t, storagepb.Status_INVALID, got[2])
	require.Contains(t, got[2].Detail, "key")
	require1(t, storagepb.Status_OK, got[3])
	require.NoError(t, stream.CloseSend())
	_, err := stream.Recv()
	require.ErrorContains(t, err, "EOF")
}

func TestAStreamThatIsNotForThisNodeIsClosedWithTheReason(t *testing.T) {
	s := serve(t, NewMemory(), Config{})
	for name, c := range map[string]struct {
		first *storagepb.ClientFrame
		code  codes.Code
		text  string
	}{
		"no hello":      {&storagepb.ClientFrame{}, codes.InvalidArgument, "hello"},
		"not only":      {&storagepb.ClientFrame{Hello: hello(), Operations: []*storagepb.Operation{{}}}, codes.InvalidArgument, "nothing else"},
		"other cluster": {&storagepb.ClientFrame{Hello: &storagepb.Hello{MinVersion: 1, MaxVersion: 1, Cluster: "x", Node: "n1"}}, codes.FailedPrecondition, `cluster "test"`},
		"other node":    {&storagepb.ClientFrame{Hello: &storagepb.Hello{MinVersion: 1, MaxVersion: 1, Cluster: "test", Node: "x"}}, codes.FailedPrecondition, `node "n1"`},
		"too new":       {&storagepb.ClientFrame{Hello: &storagepb.Hello{MinVersion: 2, MaxVersion: 9, Cluster: "test", Node: "n1"}}, codes.Unimplemented, "1 to 1"},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := s.client.Exchange(t.Context())
			require.NoError(t, err)
			require.NoError(t, stream.Send(c.first))
			_, err = stream.Recv()
			require.Equal(t, c.code, status.Code(err))
			require.ErrorContains(t, err, c.text)
		})
	}
}

func TestDescribeNeedsNoHandshake(t *testing.T) {
	s := serve(t, NewMemory(), Config{NoSync: true})
	d, err := s.client.Describe(t.Context(), &storagepb.DescribeRequest{})
	require.NoError(t, err)
	require.Equal(t, "test", d.GetCluster())
	require.Equal(t, "n1", d.GetNode())
	require.Equal(t, s.core.StoreID(), d.GetStore())
	require.Equal(t, epoch.UnixMilli(), d.GetTimeMs())
	require.False(t, d.GetSynced())
	require.EqualValues(t, 64, d.GetLimits().GetMaxSiblings())
}

// A gate holds up every operation until it is let go.
type gate struct{ let chan struct{} }

func (h gate) Before(ctx context.Context, _ *wire.Operation) Fault {
	select {
	case <-h.let:
	case <-ctx.Done():
	}
	return Fault{}
}

func (gate) After(context.Context, *wire.Operation, *wire.Answer) Fault { return Fault{} }

func TestAStoppingNodeFinishesWhatItHoldsAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		s := serve(t, NewMemory(), Config{Interceptor: gate{let}})
		stream := s.exchange(t)
		send := func(id uint64) {
			require.NoError(t, stream.Send(frameOf(numbered(id, write("a", at(1, 0), nil, "v")))))
			synctest.Wait()
		}
		send(1)
		stopped := make(chan error, 1)
		go func() { stopped <- s.server.Shutdown(t.Context()) }()
		synctest.Wait()
		send(2)
		require1(t, storagepb.Status_STOPPING, answers(t, stream, 1)[2])
		require.Empty(t, stopped)
		close(let)
		require1(t, storagepb.Status_OK, answers(t, stream, 1)[1])
		require.NoError(t, <-stopped)
		_, err := stream.Recv()
		require.Equal(t, codes.Unavailable, status.Code(err))
		s.close()
	})
}

func TestShutdownGivesUpAtItsDeadlineAndSaysHowMuchIsUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, NewMemory(), Config{Interceptor: gate{make(chan struct{})}})
		stream := s.exchange(t)
		require.NoError(t, stream.Send(frameOf(numbered(1, write("a", at(1, 0), nil, "v")))))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := s.server.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "1 operations")
		s.close()
	})
}
