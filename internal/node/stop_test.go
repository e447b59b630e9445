package node

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/memnet"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

func TestAClientThatReadsNothingHoldsUpNoStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen(64 << 10)
		s, end := behindDoor(t, l, nil, Config{Now: func() time.Time { return epoch }})
		raw, err := l.DialContext(t.Context())
		require.NoError(t, err)
		conn := greeted(t, raw)
		require1(t, storagepb.Status_OK, s.core.Do(write("k", at(1, 0), nil, string(make([]byte, 1<<20)))))
		sendFrames(t, conn, numbered(1, read("k", storagepb.Kind_READ_STATE)))
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, s.Shutdown(ctx), context.Canceled)
		end()
		require.LessOrEqual(t, time.Since(began), 1500*time.Millisecond)
	})
}

func TestFramesArePreferredWhateverTheNodesTLSConfigurationPrefers(t *testing.T) {
	server, client := certificates(t)
	client.NextProtos = []string{framed.ALPN, "h2"}
	asked := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := server.Clone()
		c.NextProtos = []string{"h2"}
		return c, nil
	}}
	for name, config := range map[string]*tls.Config{
		"h2": {Certificates: server.Certificates, NextProtos: []string{"h2"}}, "by client": asked,
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			_, end := behindDoor(t, l, config, Config{})
			defer end()
			conn, err := tls.Dial("tcp", l.Addr().String(), client)
			require.NoError(t, err)
			defer conn.Close()
			require.Equal(t, framed.ALPN, conn.ConnectionState().NegotiatedProtocol)
		})
	}
}

// A stuckRead is an engine of which reading one key takes as long as told.
type stuckRead struct {
	*slowDisk
	stuck chan struct{}
}

func (e stuckRead) Get(key []byte, use func([]byte) error) (bool, error) {
	if key[len(key)-1] == 'z' {
		<-e.stuck
	}
	return e.slowDisk.Get(key, use)
}

func TestWhatIsOnDiskIsAcknowledgedWhileTheNextFrameIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := stuckRead{newSlowDisk(), make(chan struct{})}
		core, err := New(disk, here, Config{Now: func() time.Time { return epoch }})
		require.NoError(t, err)
		s := NewServer(core)
		l := memnet.Listen(64 << 10)
		g := grpc.NewServer(grpc.ForceServerCodecV2(wire.Codec{}))
		storagepb.RegisterStorageServer(g, s)
		done := make(chan error, 1)
		go func() { done <- s.Serve(l, nil, g) }()
		raw, err := l.DialContext(t.Context())
		require.NoError(t, err)
		conn := greeted(t, raw)
		sendFrames(t, conn, numbered(1, write("a", at(1, 0), nil, "v")))
		synctest.Wait()
		sendFrames(t, conn, numbered(2, read("z", storagepb.Kind_READ_STATE)))
		synctest.Wait()
		disk.sync <- nil
		got := make(chan []wire.Answer, 1)
		go func() {
			b, err := conn.Receive()
			if err == nil {
				a, _, _ := wire.Answers(b, nil)
				got <- a
			}
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		require.Len(t, got, 1)
		require.EqualValues(t, 1, (<-got)[0].Id)
		close(disk.stuck)
		require.NoError(t, s.Shutdown(t.Context()))
		conn.Close()
		g.Stop()
		require.NoError(t, <-done)
		s.Wait()
		core.Close()
	})
}
