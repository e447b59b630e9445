package framed

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// Preface begins a connection, in both directions. It is as long as that of HTTP/2, since servers
	// of that look at it once they have so much.
	Preface = "PAIRDB * FRAME/1\r\n\r\n\r\n\r\n"

	// ALPN is the protocol's name in TLS handshakes.
	ALPN = "pairdb/1"

	// HeaderBytes are what Send wants in front of a frame, to write its header to.
	HeaderBytes = 5

	// MaxFrameBytes bounds a frame that is received.
	MaxFrameBytes = 64 << 20

	// lastWords bounds the wait for the peer to hang up after End.
	lastWords = time.Second

	// pieceBytes is how much is written at a time. A peer that takes another piece of a large frame is alive, although
	// it can neither be asked meanwhile nor has anything to say.
	pieceBytes = 256 << 10
)

// The kinds of frames.
const (
	message = iota
	end
	ping
	pong
)

var (
	// ErrPreface says that the peer does not speak this protocol.
	ErrPreface = errors.New("the peer does not speak pairdb's frames")
	// ErrHungUp says, beside ErrPreface, that the peer has not said anything else either: so does one that is
	// stopping, whatever it speaks.
	ErrHungUp = errors.New("it hung up without a word")
	// ErrSilent says that the peer has answered no ping.
	ErrSilent = errors.New("the peer answers no ping")
)

// A Conn is one end of a connection. One goroutine at a time receives; any number send.
type Conn struct {
	raw net.Conn
	in  input

	writing sync.Mutex // guards writes, so that frames go out whole
	reading sync.Mutex // guards in

	receiving atomic.Bool // somebody waits for a message
	ending    atomic.Bool // what comes is for nobody

	cause  atomic.Pointer[error]
	closed atomic.Bool

	watch watch
}

// New returns an end of a connection whose prefaces have been exchanged.
func New(raw net.Conn) *Conn {
	return &Conn{raw: raw, in: input{from: raw, start: time.Now()}}
}

// Client sends the preface, first being the client's first frame with room for its header, and returns
// the connection when the node has answered with its own. ErrPreface says that it has not,
// and ErrHungUp that it has answered with nothing. The caller bounds the wait, by closing raw.
func Client(raw net.Conn, first []byte) (*Conn, error) {
	putHeader(first, message)
	if _, err := raw.Write(append([]byte(Preface), first...)); err != nil {
		return nil, hungUp(raw, err) // on what it saw of it
	}
	c := New(raw)
	for read := 0; read < len(Preface); {
		b, err := c.in.take(1)
		if err != nil {
			return nil, hungUp(raw, err) // a part of the preface is no answer
		}
		if b[0] != Preface[read] {
			return nil, ErrPreface
		}
		read++
	}
	return c, nil
}

// hungUp makes the most of how raw ended. A peer that chose frames in the TLS handshake speaks them, and
// err is why it does not want to: it judges the client's certificate after the handshake.
func hungUp(raw net.Conn, err error) error {
	if secure, ok := raw.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol == ALPN {
		return err
	}
	return fmt.Errorf("%w: %w: %w", ErrPreface, ErrHungUp, err)
}

// Send sends a message: frame from HeaderBytes on, which is the caller's again when Send returns. It
// blocks while the peer takes nothing.
func (c *Conn) Send(frame []byte) error { return c.write(frame, message) }

func (c *Conn) write(frame []byte, kind byte) error {
	putHeader(frame, kind)
	c.writing.Lock()
	defer c.writing.Unlock()
	return c.writeLocked(frame)
}

func (c *Conn) writeLocked(frame []byte) error {
	for rest := frame; len(rest) > 0; {
		n, err := c.raw.Write(rest[:min(len(rest), pieceBytes)])
		if err != nil {
			c.fail(err) // a part of it may be out
			return c.reason(err)
		}
		if rest = rest[n:]; len(rest) > 0 {
			c.in.hear()
		}
	}
	return nil
}

func putHeader(frame []byte, kind byte) {
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-HeaderBytes))
}

// Receive returns the next message; it is the Conn's again at the next call. io.EOF says that the peer
// is done, or gone between two frames, a gRPC status why it will send no more.
func (c *Conn) Receive() ([]byte, error) {
	c.receiving.Store(true)
	defer c.receiving.Store(false)
	for {
		kind, body, err := c.next()
		if err != nil {
			return nil, c.reason(err)
		}
		switch kind {
		case message:
			return body, nil
		case end:
			return nil, ended(body)
		case ping:
			if err := c.write(make([]byte, HeaderBytes), pong); err != nil {
				return nil, err
			}
		case pong:
		default:
			return nil, status.Errorf(codes.InvalidArgument, "a frame of unknown kind %d", kind)
		}
	}
}

// next returns the next frame, unless End has begun.
func (c *Conn) next() (kind byte, body []byte, err error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if !c.ending.Load() {
		kind, body, err = c.in.frame()
	}
	if c.ending.Load() {
		return 0, nil, net.ErrClosed
	}
	return kind, body, err
}

// Waiting reports whether a whole message has come already, so that Receive will not block. It is for who receives.
func (c *Conn) Waiting() bool {
	c.reading.Lock()
	defer c.reading.Unlock()
	return c.in.holdsMessage()
}

func ended(body []byte) error {
	code, n := binary.Uvarint(body)
	switch {
	case n <= 0 || code > 1<<31:
		return status.Error(codes.Internal, "the connection was ended without a reason")
	case codes.Code(code) == codes.OK:
		return io.EOF
	}
	return status.Error(codes.Code(code), string(body[n:]))
}

// End tells the peer why no more will come, nil being that all is done, waits a moment
// for it to hang up, and closes the connection. Nothing is received from then on: of a frame that comes
// while the rest is thrown away, a part might be missing.
func (c *Conn) End(why error) {
	c.ending.Store(true)
	s := status.Convert(why)
	frame := binary.AppendUvarint(make([]byte, HeaderBytes), uint64(s.Code()))
	_ = c.raw.SetDeadline(time.Now().Add(lastWords))
	if c.write(append(frame, s.Message()...), end) == nil {
		if half, ok := c.raw.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			c.reading.Lock()                  // whoever receives gives up at the next frame, or lastWords
			_, _ = io.Copy(io.Discard, c.raw) // until the peer hangs up, or lastWords
			c.reading.Unlock()
		}
	}
	c.Close()
}

// Close ends the connection at once: who sends or receives gets an error. It may be called again.
func (c *Conn) Close() {
	c.fail(net.ErrClosed)
	c.watch.stop()
}

// fail closes the connection for cause, unless it is closed already.
func (c *Conn) fail(cause error) {
	c.cause.CompareAndSwap(nil, &cause)
	if c.closed.CompareAndSwap(false, true) {
		_ = c.raw.Close() // it is being given up
	}
}

// reason is why the connection was closed, which says more than that it is.
func (c *Conn) reason(err error) error {
	if cause := c.cause.Load(); cause != nil {
		return *cause
	}
	return err
}
