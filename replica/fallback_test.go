package replica

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/internal/testtls"
)

func TestANodeThatHungUpOnceIsSpokenToInFramesOnceItIsThere(t *testing.T) {
	dial := serveNode(t, node.Limits{}, false)
	var dials atomic.Int32
	changes := make(states, 8)
	c := newScripted().connect(t, func(cfg *Config) {
		cfg.OnChange = changes.tell
		cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
			if dials.Add(1) > 1 {
				return dial(ctx, addr)
			}
			here, there := net.Pipe() // of a node that is stopping, or of a balancer in front of none
			return here, there.Close()
		}
	})
	require.Equal(t, "frames", changes.until(t, Up).Transport)
	storeAndReadBack(t, c)
}

// A filtered connection goes through what passes HTTP/2 alone, and hangs up on the rest without a word.
type filtered struct {
	net.Conn
	cut atomic.Bool
}

func (f *filtered) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), framed.Preface) {
		f.cut.Store(true)
		return len(b), nil
	}
	return f.Conn.Write(b)
}

func (f *filtered) Read(b []byte) (int, error) {
	if f.cut.Load() {
		return 0, io.EOF
	}
	return f.Conn.Read(b)
}

func TestGRPCIsSpokenThroughWhatHangsUpOnFramesInGoodOrder(t *testing.T) {
	dial := serveNode(t, node.Limits{}, false)
	changes := make(states, 8)
	c := newScripted().connect(t, func(cfg *Config) {
		cfg.OnChange = changes.tell
		cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
			raw, err := dial(ctx, addr)
			return &filtered{Conn: raw}, err
		}
	})
	require.Equal(t, "grpc", changes.until(t, Up).Transport)
	storeAndReadBack(t, c)
}

func TestAPersonIsToldWhatIsWrongWithTLS(t *testing.T) {
	cert, pool := testtls.NewCertificate(t)
	server := &tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{framed.ALPN, "h2"}, ClientAuth: tls.RequireAnyClientCert,
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			_ = tls.Server(raw, server).Handshake() // the client's side is looked at
			_ = raw.Close()
		}
	}()
	for text, config := range map[string]*tls.Config{
		"perhaps it wants TLS":                        nil,
		"tls: certificate required":                   {RootCAs: pool},
		"certificate signed by unknown authority":     {},
		"certificate is not valid for any names, but": {RootCAs: pool, ServerName: "n1.example"},
	} {
		changes := make(states, 8)
		newScripted().connect(t, func(cfg *Config) {
			cfg.Addr, cfg.TLS, cfg.OnChange, cfg.Dialer = l.Addr().String(), config, changes.tell, nil
		})
		require.ErrorContains(t, changes.until(t, Down).Err, text)
	}
}
