package node

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// A link brings the frames of one exchange. One goroutine at a time receives, and one sends.
type link interface {
	// context ends with the link.
	context() context.Context
	// first and greet are the handshake.
	first() (*storagepb.ClientFrame, error)
	greet(*storagepb.ServerFrame) error
	receive(*wire.OperationsFrame) error
	// waiting reports whether receive has a frame at hand, and will not block. It may say no although there is one.
	waiting() bool
	// send blocks while the client takes nothing, until the link ends.
	send(*wire.Frame) error
}

// A grpcLink is a stream of gRPC.
type grpcLink struct {
	stream storagepb.Storage_ExchangeServer
}

func (l *grpcLink) context() context.Context               { return l.stream.Context() }
func (l *grpcLink) first() (*storagepb.ClientFrame, error) { return l.stream.Recv() }
func (l *grpcLink) greet(f *storagepb.ServerFrame) error   { return l.stream.Send(f) }
func (l *grpcLink) receive(f *wire.OperationsFrame) error  { return l.stream.RecvMsg(f) }
func (l *grpcLink) waiting() bool                          { return false }
func (l *grpcLink) send(f *wire.Frame) error               { return l.stream.SendMsg(f) }

// A framedLink is a connection of package framed.
type framedLink struct {
	conn *framed.Conn
	ctx  context.Context
}

const (
	// A client that hears nothing asks after 10 s; one of which nothing is heard for so
	// long is cut off, or gone without a word.
	silence         = 45 * time.Second
	silencePatience = 15 * time.Second

	// stopPatience is how long a frame may wait for the client to read when the server ends.
	stopPatience = time.Second
)

// serveFramed serves a connection that has begun as one of package framed. opened is called when the client
// is known.
func (s *Server) serveFramed(raw net.Conn, opened func()) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l := &framedLink{conn: framed.New(raw), ctx: ctx}
	if _, err := raw.Write([]byte(framed.Preface)); err != nil {
		l.conn.Close()
		return
	}
	// A client that reads nothing would hold up the end of a server until sendPatience is over.
	defer context.AfterFunc(s.ctx, func() { _ = raw.SetWriteDeadline(time.Now().Add(stopPatience)) })()
	l.conn.Watch(silence, silencePatience, false)
	l.conn.End(s.exchange(&greeting{l, opened}))
}

// A greeting is a link that tells when the handshake is over.
type greeting struct {
	*framedLink
	over func()
}

func (l *greeting) greet(f *storagepb.ServerFrame) error {
	l.over()
	return l.framedLink.greet(f)
}

func (l *framedLink) context() context.Context { return l.ctx }

func (l *framedLink) first() (*storagepb.ClientFrame, error) {
	body, err := l.conn.Receive()
	if err != nil {
		return nil, err
	}
	f := new(storagepb.ClientFrame)
	if err := proto.Unmarshal(body, f); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return f, nil
}

func (l *framedLink) greet(f *storagepb.ServerFrame) error {
	frame, err := wire.MessageFrame(f)
	if err != nil {
		return err
	}
	return l.send(&frame)
}

func (l *framedLink) receive(f *wire.OperationsFrame) error {
	body, err := l.conn.Receive()
	if err != nil {
		return err
	}
	read := f.Read
	if l.conn.Owned() {
		read = f.ReadIn
	}
	if err = read(body); err != nil {
		return status.Error(codes.InvalidArgument, err.Error())
	}
	return nil
}

func (l *framedLink) waiting() bool { return l.conn.Waiting() }

func (l *framedLink) send(f *wire.Frame) error {
	defer f.Free()
	return l.conn.Send(f.Bytes)
}
