package replica

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/devrev/pairdb/internal/memnet"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// serveNode serves the real node n1 of cluster shop, and returns how to dial it.
func serveNode(t *testing.T, limits node.Limits, grpcOnly bool) func(context.Context, string) (net.Conn, error) {
	core, err := node.New(node.NewMemory(), node.Identity{Cluster: "shop", Node: "n1"}, node.Config{Limits: limits})
	require.NoError(t, err)
	service := node.NewServer(core)
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(wire.Codec{}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(32<<20),
	)
	storagepb.RegisterStorageServer(server, service)
	lis := memnet.Listen(1 << 20)
	serve := func() error { return service.Serve(lis, nil, server) }
	if grpcOnly {
		serve = func() error { return server.Serve(lis) }
	}
	go func() { _ = serve() }() // ends with Stop
	t.Cleanup(func() {
		_ = service.Shutdown(context.Background())
		server.Stop()
		service.Wait()
		core.Close()
	})
	return func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) }
}

// call sends op and returns its result.
func call(t *testing.T, c *Conn, op *Op) Result {
	done := newBox(1)
	op.Handler = done
	require.NoError(t, c.Send(op))
	return <-done.results
}

func TestARealNodeStoresAndReadsBackThroughAConn(t *testing.T) {
	overBoth(t, func(t *testing.T, grpcOnly bool) {
		storeAndReadBack(t, newScripted().connect(t, func(cfg *Config) { cfg.Dialer = serveNode(t, node.Limits{}, grpcOnly) }))
	})
}

func TestGRPCIsSpokenToANodeThatSpeaksBothWhereItIsAskedFor(t *testing.T) {
	for want, only := range map[string]bool{"frames": false, "grpc": true} {
		changes := make(states, 8)
		c := newScripted().connect(t, func(cfg *Config) {
			cfg.Dialer, cfg.GRPC, cfg.OnChange = serveNode(t, node.Limits{}, false), only, changes.tell
		})
		require.Equal(t, want, changes.until(t, Up).Transport)
		storeAndReadBack(t, c)
	}
}

func storeAndReadBack(t *testing.T, c *Conn) {
	for _, bytes := range []int{10, bulkBytes, 1 << 20} {
		w := merge(nil, bytes)
		dot := vclock.Dot{Actor: vclock.Actor(256 * (bytes + 1)), Stamp: vclock.StampAt(time.Now())}
		w.Key = string(rune('a' + bytes%7))
		w.State.Clock[0], w.State.Siblings[0].Dot = dot, dot
		r := call(t, c, w)
		require.NoError(t, r.Err)
		require.Equal(t, storagepb.Status_OK, r.Status)
		require.True(t, r.Live)

		q := read(nil)
		q.Key = w.Key
		r = call(t, c, q)
		require.NoError(t, r.Err)
		require.Equal(t, w.State, r.State)

		q.Kind = storagepb.Kind_READ_DIGEST
		require.Equal(t, w.State.Digest(), call(t, c, q).Digest)
	}
}

func TestARealNodesRefusalIsAnAnswer(t *testing.T) {
	c := newScripted().connect(t, func(cfg *Config) { cfg.Dialer = serveNode(t, node.Limits{MaxValueBytes: 100}, false) })
	w := merge(nil, 101)
	dot := vclock.Dot{Actor: 256, Stamp: vclock.StampAt(time.Now())}
	w.State.Clock[0], w.State.Siblings[0].Dot = dot, dot
	r := call(t, c, w)
	require.NoError(t, r.Err)
	require.Equal(t, storagepb.Status_TOO_LARGE, r.Status)
	require.EqualValues(t, 100, c.Health().Limits.GetMaxValueBytes())
}

func TestARealNodeTurnsAwayThoseThatMeanAnother(t *testing.T) {
	overBoth(t, func(t *testing.T, grpcOnly bool) { turnedAway(t, serveNode(t, node.Limits{}, grpcOnly)) })
}

func turnedAway(t *testing.T, dial func(context.Context, string) (net.Conn, error)) {
	for _, wrong := range []func(*Config){
		func(cfg *Config) { cfg.Cluster = "bank" },
		func(cfg *Config) { cfg.Node = "n2" },
	} {
		changes := make(states, 8)
		newScripted().connect(t, func(cfg *Config) {
			cfg.Dialer, cfg.OnChange = dial, changes.tell
			wrong(cfg)
		})
		require.ErrorIs(t, changes.until(t, Down).Err, ErrMismatch)
	}
}
