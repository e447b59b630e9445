package replica

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

const (
	streamWindow   = 4 << 20 // several of the largest batches; fixed, since what is in flight is bounded by us
	connWindow     = 8 << 20
	ioBuffer       = 128 << 10
	maxAnswerBytes = 64 << 20
)

// A grpcTransport is a gRPC ClientConn of the link's own, so that gRPC's reconnecting never
// competes with ours.
//
// gRPC for Go sends no more than one ping per 10 s, and none while anything else comes in. A
// node has to allow that, also without streams: gRPC servers hang up on such pings by default
// (keepalive.EnforcementPolicy). Where even writes are blocked, gRPC
// takes 5 s more, except by TCP on Linux (TCP_USER_TIMEOUT).
type grpcTransport struct {
	cfg  *Config
	grpc *grpc.ClientConn

	mu      sync.Mutex // guards what follows
	raw     net.Conn
	dialErr error
}

func newGRPCTransport(cfg *Config) *grpcTransport { return &grpcTransport{cfg: cfg} }

func (t *grpcTransport) name() string { return "grpc" }

func (t *grpcTransport) open(ctx context.Context, hello *storagepb.Hello) (stream, *storagepb.Welcome, error) {
	s, w, err := t.shakeHands(ctx, hello)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil && t.dialErr != nil {
		err = t.dialErr // says more than what gRPC makes of it
	}
	return s, w, err
}

func (t *grpcTransport) shakeHands(ctx context.Context, hello *storagepb.Hello) (stream, *storagepb.Welcome, error) {
	var err error
	if t.grpc == nil {
		if t.grpc, err = grpc.NewClient("passthrough:///"+t.cfg.Addr, t.options()...); err != nil {
			return nil, nil, err
		}
	}
	s, err := storagepb.NewStorageClient(t.grpc).Exchange(ctx)
	if err != nil {
		return nil, nil, err
	}
	err = s.Send(&storagepb.ClientFrame{Hello: hello})
	if err != nil && !errors.Is(err, io.EOF) { // after EOF, Recv has the cause
		return nil, nil, err
	}
	first, err := s.Recv()
	if err != nil {
		return nil, nil, err
	}
	return grpcStream{s}, first.GetWelcome(), nil
}

func (t *grpcTransport) options() []grpc.DialOption {
	secure := insecure.NewCredentials()
	if t.cfg.TLS != nil {
		secure = credentials.NewTLS(t.cfg.TLS)
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(t.dial),
		grpc.WithNoProxy(),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithIdleTimeout(0),
		grpc.WithStaticStreamWindowSize(streamWindow),
		grpc.WithStaticConnWindowSize(connWindow),
		grpc.WithReadBufferSize(ioBuffer),
		grpc.WithWriteBufferSize(ioBuffer),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes), grpc.ForceCodecV2(wire.Codec{})),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: pingEvery, Timeout: pingTimeout, PermitWithoutStream: true,
		}),
	}
}

// dial keeps the connection, to be able to cut it, and the error.
func (t *grpcTransport) dial(ctx context.Context, _ string) (net.Conn, error) {
	raw, err := t.cfg.Dialer(ctx, t.cfg.Addr)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if t.dialErr == nil {
			t.dialErr = err
		}
		return nil, err
	}
	t.raw = raw
	return raw, nil
}

func (t *grpcTransport) hangUp() {
	t.mu.Lock()
	raw := t.raw
	t.mu.Unlock()
	if raw != nil {
		_ = raw.Close() // nothing is lost: the link is being thrown away
	}
}

// close gives the transport, in good order, a moment to say goodbye; a peer that reads nothing would
// make gRPC wait for seconds.
func (t *grpcTransport) close(inOrder bool) {
	if t.grpc == nil {
		return
	}
	if inOrder {
		defer time.AfterFunc(goodbyeLimit, t.hangUp).Stop()
	} else {
		t.hangUp()
	}
	_ = t.grpc.Close() // its only error is that it is closed already
}

type grpcStream struct {
	storagepb.Storage_ExchangeClient
}

func (s grpcStream) send(f *frame) error                 { return s.SendMsg(&f.out) }
func (s grpcStream) receive(in *wire.AnswersFrame) error { return s.RecvMsg(in) }
