package replica

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

const (
	// attemptLimit bounds an attempt, handshake included.
	attemptLimit = 3 * time.Second

	// A node that answers no ping is frozen or cut off.
	pingEvery   = 10 * time.Second
	pingTimeout = 2 * time.Second

	// goodbyeLimit bounds the wait for the last frames of a connection that ends in good order.
	goodbyeLimit = 250 * time.Millisecond

	// The versions of the protocol that this package speaks.
	minVersion, maxVersion = 1, 1
)

// A transport carries a link's two streams.
type transport interface {
	// open returns another stream, on which the handshake was made.
	open(ctx context.Context, hello *storagepb.Hello) (stream, *storagepb.Welcome, error)
	// close ends all streams, and joins the transport's goroutines. In order, the node may be told first.
	close(inOrder bool)
	// name is for logs.
	name() string
}

// A stream is one lane's way to the node and back. One goroutine sends, and one receives.
type stream interface {
	// send hands a batch over. It blocks while the node takes nothing, until the stream is hung up.
	send(*frame) error
	receive(*wire.AnswersFrame) error
}

// A link is one connection, from dialling to breaking: two streams, one per lane. If one
// breaks, so does the link.
type link struct {
	conn    *Conn
	ctx     context.Context
	cancel  context.CancelCauseFunc
	by      transport
	broken  chan struct{} // closed by goDown
	streams sync.WaitGroup

	reading  atomic.Int32  // streams that have not ended
	bothRead chan struct{} // closed when both have

	small, bulk stream
	welcome     *storagepb.Welcome
	store       uint64
	roundTrip   time.Duration
	offset      time.Duration
}

var errAttemptTooLong = fmt.Errorf("no handshake within %v", attemptLimit)

// A hangsUp is for a person: what hung up on frames without a word was no help by gRPC either.
type hangsUp struct{ error }

func (e hangsUp) Error() string {
	return describe(e.error) + "; it hangs up without a word: perhaps it wants TLS, or no node is behind the address"
}

func (e hangsUp) Unwrap() error { return e.error }

// connect makes one attempt. The link that it returns has shaken hands, and is for
// the caller to close.
func (c *Conn) connect() (*link, error) {
	c.attempts.Add(1)
	if c.cfg.GRPC {
		return c.connectBy(newGRPCTransport(&c.cfg))
	}
	l, err := c.connectBy(newFramedTransport(&c.cfg))
	if !errors.Is(err, framed.ErrPreface) {
		return l, err
	}
	hungUp := errors.Is(err, framed.ErrHungUp)
	l, err = c.connectBy(newGRPCTransport(&c.cfg))
	switch {
	case err == nil && hungUp: // also what a node does that is stopping, or starting behind a balancer
		if again, err := c.connectBy(newFramedTransport(&c.cfg)); err == nil {
			l.close(true)
			return again, nil
		}
	case hungUp && c.cfg.TLS == nil && grpcstatus.Code(err) == codes.Unavailable:
		err = hangsUp{err}
	}
	return l, err
}

func (c *Conn) connectBy(t transport) (*link, error) {
	l := &link{conn: c, by: t, broken: make(chan struct{}), bothRead: make(chan struct{})}
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
	sent := time.Now()
	if l.small, l.welcome, err = l.shakeHands(); err != nil {
		return err
	}
	l.roundTrip = time.Since(sent)
	l.offset = time.UnixMilli(l.welcome.GetTimeMs()).Sub(sent.Add(l.roundTrip / 2))
	l.store = l.welcome.GetStore()

	var second *storagepb.Welcome
	if l.bulk, second, err = l.shakeHands(); err != nil {
		return err
	}
	if second.GetStore() != l.store {
		return fmt.Errorf("%w: two stores, %x and %x, answer at one address", ErrMismatch, l.store, second.GetStore())
	}
	return nil
}

func (l *link) shakeHands() (stream, *storagepb.Welcome, error) {
	cfg := &l.conn.cfg
	s, w, err := l.by.open(l.ctx, &storagepb.Hello{
		MinVersion: minVersion,
		MaxVersion: maxVersion,
		Cluster:    cfg.Cluster,
		Node:       string(cfg.Node),
		Epoch:      l.conn.epoch.Load(),
	})
	switch {
	case err != nil:
	case w == nil:
		err = fmt.Errorf("%w: the first frame is no welcome", ErrMismatch)
	case w.GetNode() != string(cfg.Node):
		err = fmt.Errorf("%w: this is node %q", ErrMismatch, w.GetNode())
	case w.GetVersion() < minVersion || w.GetVersion() > maxVersion:
		err = fmt.Errorf("%w: protocol version %d", ErrMismatch, w.GetVersion())
	case w.GetStore() == 0:
		err = fmt.Errorf("%w: it has no store id", ErrMismatch)
	}
	return s, w, err
}

// cause makes the most of an error of the link's streams.
func (l *link) cause(err error) error {
	switch {
	case l.conn.ctx.Err() != nil:
		return ErrClosed
	case errors.Is(context.Cause(l.ctx), errAttemptTooLong):
		return errAttemptTooLong
	case errors.Is(err, framed.ErrPreface): // which an io.EOF may have told
		return err
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

// close ends the connection and joins what serve started.
func (l *link) close(inOrder bool) {
	l.cancel(nil)
	l.by.close(inOrder)
	l.streams.Wait()
}
