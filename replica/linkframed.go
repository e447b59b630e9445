package replica

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// A framedTransport is a connection of package framed per stream.
type framedTransport struct {
	cfg *Config

	mu   sync.Mutex // guards what follows
	raws []net.Conn
	ends []*framed.Conn
}

func newFramedTransport(cfg *Config) *framedTransport { return &framedTransport{cfg: cfg} }

func (t *framedTransport) name() string { return "frames" }

func (t *framedTransport) open(ctx context.Context, hello *storagepb.Hello) (stream, *storagepb.Welcome, error) {
	raw, err := t.cfg.Dialer(ctx, t.cfg.Addr)
	if err != nil {
		return nil, nil, err
	}
	t.mu.Lock()
	t.raws = append(t.raws, raw)
	t.mu.Unlock()
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
	conn, err := t.secure(ctx, raw)
	if err != nil {
		return nil, nil, err
	}
	first, err := wire.MessageFrame(&storagepb.ClientFrame{Hello: hello})
	if err != nil {
		return nil, nil, err
	}
	defer first.Free()
	end, err := framed.Client(conn, first.Bytes)
	if err != nil {
		return nil, nil, err
	}
	t.mu.Lock()
	t.ends = append(t.ends, end)
	t.mu.Unlock()
	answer, err := end.Receive()
	if err != nil {
		return nil, nil, err
	}
	var f storagepb.ServerFrame
	if err := proto.Unmarshal(answer, &f); err != nil {
		return nil, nil, fmt.Errorf("%w: the first frame: %w", ErrMismatch, err)
	}
	end.Watch(pingEvery, pingTimeout, true)
	return framedStream{end}, f.GetWelcome(), nil
}

// secure makes the TLS handshake. A node that chooses HTTP/2 speaks no frames.
func (t *framedTransport) secure(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if t.cfg.TLS == nil {
		return raw, nil
	}
	config := t.cfg.TLS.Clone()
	config.NextProtos = []string{framed.ALPN, "h2"}
	if config.ServerName == "" {
		config.ServerName = hostOf(t.cfg.Addr)
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		return nil, framed.ErrPreface
	}
	return conn, nil
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// close needs no order: what was sent is with the system, and nothing is owed.
func (t *framedTransport) close(bool) {
	t.mu.Lock()
	raws, ends := slices.Clone(t.raws), slices.Clone(t.ends)
	t.mu.Unlock()
	for _, end := range ends {
		end.Close()
	}
	for _, raw := range raws {
		_ = raw.Close() // nothing is lost: the link is being thrown away
	}
}

type framedStream struct{ end *framed.Conn }

func (s framedStream) send(f *frame) error { return s.end.Send(f.out.Bytes) }

func (s framedStream) receive(in *wire.AnswersFrame) (err error) {
	body, err := s.end.Receive()
	if err != nil {
		return err
	}
	clear(in.Answers)
	in.Answers, in.Welcome, err = wire.Answers(body, in.Answers)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}
