package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

const (
	// attemptLimit bounds an attempt, handshake included.
	attemptLimit = 3 * time.Second

	// A node that answers no HTTP/2 ping is frozen or cut off. gRPC for Go sends no
	// more than one per 10 s, and none while anything else comes in. A node has to allow
	// that, also without streams: gRPC servers hang up on such pings by default
	// (keepalive.EnforcementPolicy). Where even writes are blocked, gRPC
	// takes 5 s more, except by TCP on Linux (TCP_USER_TIMEOUT).
	pingEvery   = 10 * time.Second
	pingTimeout = 2 * time.Second

	// goodbyeLimit bounds the wait for the last frames of a connection that ends in good order.
	goodbyeLimit = 250 * time.Millisecond

	streamWindow   = 4 << 20 // several of the largest batches; fixed, since what is in flight is bounded by us
	connWindow     = 8 << 20
	ioBuffer       = 128 << 10
	maxAnswerBytes = 64 << 20

	// The versions of the protocol that this package speaks.
	minVersion, maxVersion = 1, 1
)

// A link is one connection, from dialling to breaking: a gRPC ClientConn of its
// own, so that gRPC's reconnecting never competes with ours, and two streams, one per lane.
// If one breaks, so does the link.
type link struct {
	conn    *Conn
	ctx     context.Context
	cancel  context.CancelCauseFunc
	grpc    *grpc.ClientConn
	broken  chan struct{} // closed by goDown
	streams sync.WaitGroup

	reading  atomic.Int32  // streams that have not ended
	bothRead chan struct{} // closed when both have

	small, bulk storagepb.Storage_ExchangeClient
	welcome     *storagepb.Welcome
	store       uint64
	roundTrip   time.Duration
	offset      time.Duration

	dialErr atomic.Pointer[error]
	mu      sync.Mutex // guards raw
	raw     net.Conn
}

var errAttemptTooLong = fmt.Errorf("no handshake within %v", attemptLimit)

// connect makes one attempt. The link that it returns has shaken hands, and is for
// the caller to close.
func (c *Conn) connect() (*link, error) {
	c.attempts.Add(1)
	l := &link{conn: c, broken: make(chan struct{}), bothRead: make(chan struct{})}
	// Not a child of c.ctx: a link that is up ends by goDown, then close, in that order.
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	defer time.AfterFunc(attemptLimit, func() { l.cancel(errAttemptTooLong) }).Stop()
	defer context.AfterFunc(c.ctx, func() { l.cancel(ErrClosed) })()
	err := l.open()
	if err == nil {
		return l, nil
	}
	err = l.cause(err)
	l.close(false)
	return nil, err
}

func (l *link) open() error {
	var err error
	if l.grpc, err = grpc.NewClient("passthrough:///"+l.conn.cfg.Addr, l.options()...); err != nil {
		return err
	}
	client := storagepb.NewStorageClient(l.grpc)
	if l.small, err = client.Exchange(l.ctx); err != nil {
		return err
	}
	if l.bulk, err = client.Exchange(l.ctx); err != nil {
		return err
	}
	sent := time.Now()
	if l.welcome, err = l.shakeHands(l.small); err != nil {
		return err
	}
	l.roundTrip = time.Since(sent)
	l.offset = time.UnixMilli(l.welcome.GetTimeMs()).Sub(sent.Add(l.roundTrip / 2))
	l.store = l.welcome.GetStore()

	second, err := l.shakeHands(l.bulk)
	if err != nil {
		return err
	}
	if second.GetStore() != l.store {
		return fmt.Errorf("%w: two stores, %x and %x, answer at one address", ErrMismatch, l.store, second.GetStore())
	}
	return nil
}

func (l *link) options() []grpc.DialOption {
	transport := insecure.NewCredentials()
	if l.conn.cfg.TLS != nil {
		transport = credentials.NewTLS(l.conn.cfg.TLS)
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithContextDialer(l.dial),
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

// dial keeps the connection, to be able to cut it, and the error, which says
// more than what gRPC makes of it.
func (l *link) dial(ctx context.Context, _ string) (net.Conn, error) {
	raw, err := l.conn.cfg.Dialer(ctx, l.conn.cfg.Addr)
	if err != nil {
		l.dialErr.CompareAndSwap(nil, &err)
		return nil, err
	}
	l.mu.Lock()
	l.raw = raw
	l.mu.Unlock()
	return raw, nil
}

func (l *link) shakeHands(stream storagepb.Storage_ExchangeClient) (*storagepb.Welcome, error) {
	cfg := &l.conn.cfg
	err := stream.Send(&storagepb.ClientFrame{Hello: &storagepb.Hello{
		MinVersion: minVersion,
		MaxVersion: maxVersion,
		Cluster:    cfg.Cluster,
		Node:       string(cfg.Node),
		Epoch:      l.conn.epoch.Load(),
	}})
	if err != nil && !errors.Is(err, io.EOF) { // after EOF, Recv has the cause
		return nil, err
	}
	first, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	w := first.GetWelcome()
	switch {
	case w == nil:
		return nil, fmt.Errorf("%w: the first frame is no welcome", ErrMismatch)
	case w.GetNode() != string(cfg.Node):
		return nil, fmt.Errorf("%w: this is node %q", ErrMismatch, w.GetNode())
	case w.GetVersion() < minVersion || w.GetVersion() > maxVersion:
		return nil, fmt.Errorf("%w: protocol version %d", ErrMismatch, w.GetVersion())
	case w.GetStore() == 0:
		return nil, fmt.Errorf("%w: it has no store id", ErrMismatch)
	}
	return w, nil
}

// cause makes the most of an error of the link's streams.
func (l *link) cause(err error) error {
	switch {
	case l.conn.ctx.Err() != nil:
		return ErrClosed
	case l.dialErr.Load() != nil:
		return *l.dialErr.Load()
	case errors.Is(context.Cause(l.ctx), errAttemptTooLong):
		return errAttemptTooLong
	case errors.Is(err, io.EOF):
		return errors.New("the node ended the stream")
	}
	switch grpcstatus.Code(err) {
	case codes.FailedPrecondition, codes.Unimplemented:
		return fmt.Errorf("%w: %s", ErrMismatch, describe(err))
	}
	return err
}

// serve starts the goroutines of a link that is up.
func (l *link) serve() {
	c := l.conn
	l.reading.Store(2)
	l.streams.Go(func() { l.read(l.small) })
	l.streams.Go(func() { l.read(l.bulk) })
	l.streams.Go(func() { l.write(&c.small, l.small) })
	l.streams.Go(func() { l.write(&c.bulk, l.bulk) })
}

// close ends the connection and joins what serve started. In good order, it gives
// the transport a moment to say goodbye; a peer that reads nothing would make
// gRPC wait for seconds.
func (l *link) close(inOrder bool) {
	l.cancel(nil)
	if l.grpc != nil {
		if inOrder {
			defer time.AfterFunc(goodbyeLimit, l.hangUp).Stop()
		} else {
			l.hangUp()
		}
		_ = l.grpc.Close() // its only error is that it is closed already
	}
	l.streams.Wait()
}

func (l *link) hangUp() {
	l.mu.Lock()
	raw := l.raw
	l.mu.Unlock()
	if raw != nil {
		_ = raw.Close() // nothing is lost: the link is being thrown away
	}
}
