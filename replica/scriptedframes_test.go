package replica

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// overBoth runs a test with nodes of each transport.
func overBoth(t *testing.T, test func(t *testing.T, grpcOnly bool)) {
	t.Run("frames", func(t *testing.T) { test(t, false) })
	t.Run("grpc", func(t *testing.T) { test(t, true) })
}

// serveFrames serves a listener's connections as a node that speaks frames and nothing else.
func (s *scripted) serveFrames(lis net.Listener) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			raw, err := lis.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = raw.Close() })()
				s.serveConn(ctx, raw)
			})
		}
	})
	return func() {
		_ = lis.Close()
		cancel()
		conns.Wait()
	}
}

func (s *scripted) serveConn(ctx context.Context, raw net.Conn) {
	conn := raw
	if s.tls != nil {
		config := s.tls.Clone()
		config.NextProtos = []string{framed.ALPN}
		conn = tls.Server(raw, config)
	}
	first := make([]byte, len(framed.Preface))
	if _, err := io.ReadFull(conn, first); err != nil || string(first) != framed.Preface {
		_ = conn.Close()
		return
	}
	if _, err := conn.Write(first); err != nil {
		_ = conn.Close()
		return
	}
	x := &framesExchange{ctx: ctx, conn: framed.New(conn)}
	err := s.Exchange(x)
	if err == io.EOF || ctx.Err() != nil { //nolint:errorlint // framed's io.EOF is bare
		x.conn.Close()
		return
	}
	x.conn.End(err)
}

// A framesExchange is a connection of frames in the clothes of a stream.
type framesExchange struct {
	grpc.ServerStream
	ctx  context.Context
	conn *framed.Conn
}

func (x *framesExchange) Context() context.Context { return x.ctx }

func (x *framesExchange) Recv() (*storagepb.ClientFrame, error) {
	b, err := x.conn.Receive()
	if err != nil {
		return nil, err
	}
	f := new(storagepb.ClientFrame)
	if err := proto.Unmarshal(b, f); err != nil {
		return nil, grpcstatus.Error(codes.InvalidArgument, err.Error())
	}
	return f, nil
}

func (x *framesExchange) Send(f *storagepb.ServerFrame) error {
	frame, err := wire.MessageFrame(f)
	if err != nil {
		return err
	}
	return x.conn.Send(frame.Bytes)
}
