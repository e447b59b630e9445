package node

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/devrev/pairdb/internal/framed"
)

// doorPatience bounds the time that a connection takes to say what it is, TLS and
// the first frame included.
const doorPatience = 10 * time.Second

// Serve serves the connections of l until g is stopped: those that begin as package framed has it by
// itself, the others by g. It closes l. config, if not nil, is for TLS, and g has no credentials.
func (s *Server) Serve(l net.Listener, config *tls.Config, g *grpc.Server) error {
	d := &door{Listener: l, server: s, tls: withProtocols(config), in: make(chan arrival), shut: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	s.spawn(d.open)
	err := g.Serve(d)
	_ = d.Close() // g has, unless it was stopped before
	return err
}

// A door looks at how connections begin, and is a listener of those that are gRPC's.
type door struct {
	net.Listener
	server *Server
	tls    *tls.Config
	ctx    context.Context // of what is at the door
	cancel context.CancelFunc

	in   chan arrival
	once sync.Once
	shut chan struct{}
}

type arrival struct {
	conn net.Conn
	err  error
}

// open takes connections in until the listener fails for good.
func (d *door) open() {
	for {
		raw, err := d.Listener.Accept()
		if err != nil {
			if d.pass(nil, err) && isTemporary(err) {
				continue // gRPC waits before it asks again
			}
			return
		}
		d.server.spawn(func() { d.look(raw) })
	}
}

func isTemporary(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && e.Temporary()
}

// pass hands a connection, or an error, to gRPC.
func (d *door) pass(conn net.Conn, err error) bool {
	select {
	case d.in <- arrival{conn, err}:
		return true
	case <-d.shut:
		if conn != nil {
			_ = conn.Close() // nobody is left to be told
		}
		return false
	}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case a := <-d.in:
		return a.conn, a.err
	case <-d.shut:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (d *door) Close() (err error) {
	d.once.Do(func() {
		close(d.shut)
		d.cancel()
		err = d.Listener.Close()
	})
	return err
}

// look reads as much of a connection as tells what it is.
func (d *door) look(raw net.Conn) {
	stop := context.AfterFunc(d.ctx, func() { _ = raw.Close() })
	defer stop()
	_ = raw.SetDeadline(time.Now().Add(doorPatience)) // of a connection that is open; else reading fails
	conn := raw
	if d.tls != nil {
		secure := tls.Server(raw, d.tls)
		if secure.HandshakeContext(d.ctx) != nil {
			_ = raw.Close() // the peer knows why
			return
		}
		conn = secure
	}
	first := make([]byte, len(framed.Preface))
	if _, err := io.ReadFull(conn, first); err != nil {
		_ = conn.Close() // it said nothing that could be answered
		return
	}
	if string(first) != framed.Preface {
		_ = raw.SetDeadline(time.Time{})
		if stop() {
			d.pass(&begun{Conn: conn, first: first}, nil)
		}
		return
	}
	d.server.serveFramed(conn, func() {
		stop()
		_ = raw.SetDeadline(time.Time{})
	})
}

// A begun is a connection of which the first bytes have been read.
type begun struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (b *begun) Read(p []byte) (int, error) {
	if len(b.first) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.first)
	b.first = b.first[n:]
	return n, nil
}

// withProtocols returns config with the two protocols that a node speaks over TLS. Frames come first, since the
// server's order decides: a configuration that was made for gRPC names "h2".
func withProtocols(config *tls.Config) *tls.Config {
	if config == nil {
		return nil
	}
	config = config.Clone()
	protocols := []string{framed.ALPN}
	for _, p := range append(slices.Clip(config.NextProtos), "h2") {
		if !slices.Contains(protocols, p) {
			protocols = append(protocols, p)
		}
	}
	config.NextProtos = protocols
	if choose := config.GetConfigForClient; choose != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			return withProtocols(chosen), err
		}
	}
	return config
}
