package node

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/memnet"
	"github.com/devrev/pairdb/internal/testtls"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// behindDoor serves a node's connections of l, and returns how to end it.
func behindDoor(t *testing.T, l net.Listener, config *tls.Config, c Config) (*Server, func()) {
	t.Helper()
	core, err := New(NewMemory(), here, c)
	require.NoError(t, err)
	s := NewServer(core)
	g := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec{}))
	storagepb.RegisterStorageServer(g, s)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l, config, g) }()
	return s, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
		g.Stop()
		require.NoError(t, <-done)
		s.Wait()
		core.Close()
	}
}

// greeted is a connection of frames after the handshake.
func greeted(t *testing.T, raw net.Conn) *framed.Conn {
	t.Helper()
	first, err := wire.MessageFrame(&storagepb.ClientFrame{Hello: hello()})
	require.NoError(t, err)
	conn, err := framed.Client(raw, first.Bytes)
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	b, err := conn.Receive()
	require.NoError(t, err)
	var f storagepb.ServerFrame
	require.NoError(t, proto.Unmarshal(b, &f))
	require.Equal(t, "n1", f.GetWelcome().GetNode())
	return conn
}

func sendFrames(t *testing.T, conn *framed.Conn, ops ...*wire.Operation) {
	t.Helper()
	frame := wire.NewFrame()
	for _, op := range ops {
		frame.Bytes = wire.AppendOperation(frame.Bytes, op, string(op.Key))
	}
	require.NoError(t, conn.Send(frame.Bytes))
}

func receiveAnswers(t *testing.T, conn *framed.Conn) []wire.Answer {
	t.Helper()
	b, err := conn.Receive()
	require.NoError(t, err)
	list, _, err := wire.Answers(b, nil)
	require.NoError(t, err)
	return list
}

func TestBothProtocolsAreSpokenAtOneAddress(t *testing.T) {
	server, client := certificates(t)
	for name, over := range map[string]struct{ server, client *tls.Config }{"plaintext": {}, "TLS": {server, client}} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			_, end := behindDoor(t, l, over.server, Config{Now: func() time.Time { return epoch }})
			defer end()

			raw, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			creds := insecure.NewCredentials()
			if over.client != nil {
				config := over.client.Clone()
				config.NextProtos = []string{framed.ALPN, "h2"}
				secure := tls.Client(raw, config)
				require.NoError(t, secure.Handshake())
				require.Equal(t, framed.ALPN, secure.ConnectionState().NegotiatedProtocol)
				raw, creds = secure, credentials.NewTLS(over.client)
			}
			conn := greeted(t, raw)
			sendFrames(t, conn, numbered(1, write("a", at(1, 0), nil, "v")), numbered(2, read("b", storagepb.Kind_READ_STATE)))
			for got := 0; got < 2; { // the write's waits for the sync
				got += len(receiveAnswers(t, conn))
			}

			g, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(creds))
			require.NoError(t, err)
			defer g.Close()
			d, err := storagepb.NewStorageClient(g).Describe(t.Context(), &storagepb.DescribeRequest{})
			require.NoError(t, err)
			require.Equal(t, "n1", d.GetNode())
		})
	}
}

func TestAConnectionThatDoesNotSayWhatItIsIsHungUpOn(t *testing.T) {
	for name, said := range map[string]string{"nothing": "", "half a preface": framed.Preface[:9], "no hello": framed.Preface} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := memnet.Listen(1 << 10)
				_, end := behindDoor(t, l, nil, Config{})
				defer end()
				raw, err := l.DialContext(t.Context())
				require.NoError(t, err)
				_, err = io.WriteString(raw, said)
				require.NoError(t, err)
				began := time.Now()
				_, _ = io.Copy(io.Discard, raw)
				require.GreaterOrEqual(t, time.Since(began), doorPatience)
				require.LessOrEqual(t, time.Since(began), doorPatience+2*time.Second)
				require.NoError(t, raw.Close())
			})
		})
	}
}

func TestAConnectionOfFramesThatIsNotForThisNodeIsToldWhy(t *testing.T) {
	l := memnet.Listen(1 << 10)
	_, end := behindDoor(t, l, nil, Config{})
	defer end()
	raw, err := l.DialContext(t.Context())
	require.NoError(t, err)
	first, err := wire.MessageFrame(&storagepb.ClientFrame{
		Hello: &storagepb.Hello{MinVersion: 1, MaxVersion: 1, Cluster: "test", Node: "n2"},
	})
	require.NoError(t, err)
	conn, err := framed.Client(raw, first.Bytes)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Receive()
	require.Equal(t, codes.FailedPrecondition, status.Code(err))
	require.ErrorContains(t, err, `this is node "n1"`)
}

func TestAStoppingNodeAnswersWhatItHoldsBeforeItEndsAConnectionOfFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		l := memnet.Listen(64 << 10)
		s, end := behindDoor(t, l, nil, Config{Interceptor: gate{let}, Now: func() time.Time { return epoch }})
		defer end()
		raw, err := l.DialContext(t.Context())
		require.NoError(t, err)
		conn := greeted(t, raw)
		sendFrames(t, conn, numbered(1, write("a", at(1, 0), nil, "v")))
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- s.Shutdown(context.Background()) }()
		synctest.Wait()
		sendFrames(t, conn, numbered(2, write("b", at(1, 0), nil, "v")))
		got := receiveAnswers(t, conn)
		require.Equal(t, storagepb.Status_STOPPING, got[0].Status)
		require.Empty(t, stopped)
		close(let)
		require.Equal(t, storagepb.Status_OK, receiveAnswers(t, conn)[0].Status)
		require.NoError(t, <-stopped)
		_, err = conn.Receive()
		require.Equal(t, codes.Unavailable, status.Code(err))
		conn.Close()
	})
}

func TestAFrameThatIsMalformedEndsTheConnectionWithTheReason(t *testing.T) {
	l := memnet.Listen(64 << 10)
	_, end := behindDoor(t, l, nil, Config{})
	defer end()
	raw, err := l.DialContext(t.Context())
	require.NoError(t, err)
	conn := greeted(t, raw)
	require.NoError(t, conn.Send(append(wire.NewFrame().Bytes, "\x12\xff"...)))
	_, err = conn.Receive()
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

func TestFramesThatHaveComeTogetherAreAnsweredInOne(t *testing.T) {
	l := memnet.Listen(64 << 10)
	_, end := behindDoor(t, l, nil, Config{})
	defer end()
	raw, err := l.DialContext(t.Context())
	require.NoError(t, err)
	conn := greeted(t, raw)
	var together []byte
	for id := range uint64(joinedAnswers) {
		frame := wire.AppendOperation(wire.NewFrame().Bytes, numbered(id, read("k", storagepb.Kind_READ_STATE)), "k")
		binary.BigEndian.PutUint32(frame[1:], uint32(len(frame)-framed.HeaderBytes))
		together = append(together, frame...)
	}
	bad := []byte{4: 2, 5: 0x12, 6: 0xff}
	for _, last := range [][]byte{nil, bad} { // what is wrong with the last is told after the answers
		_, err = raw.Write(append(together[:len(together):len(together)], last...))
		require.NoError(t, err)
		require.Len(t, receiveAnswers(t, conn), joinedAnswers)
	}
	_, err = conn.Receive()
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}

// certificates are those of a server for 127.0.0.1, and of who trusts it.
func certificates(t *testing.T) (server, client *tls.Config) {
	cert, pool := testtls.NewCertificate(t)
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}
