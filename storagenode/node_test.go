package storagenode_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagepb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	node, err := storagenode.Open("", storagenode.Identity{Cluster: "shop", Node: "n1"}, storagenode.Memory())
	if err != nil {
		fmt.Println(err)
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error)
	go func() { served <- node.Serve(listener) }()

	fmt.Println(node.Close(context.Background()), <-served)
	// Output: <nil> <nil>
}

func TestOptionsThatContradictEachOtherAreRefused(t *testing.T) {
	memory := storagenode.Memory()
	for name, c := range map[string]struct {
		dir  string
		opts []storagenode.Option
		says string
	}{
		"no directory":         {"", nil, "dir is empty"},
		"directory and memory": {"x", []storagenode.Option{memory}, "Memory"},
		"two engines":          {"", []storagenode.Option{memory, storagenode.WithEngine(storagenode.NewMemory())}, "exclude"},
		"no logger":            {"", []storagenode.Option{memory, storagenode.WithLogger(nil)}, "WithLogger"},
		"TLS of nil":           {"", []storagenode.Option{memory, storagenode.WithTLS(nil)}, "WithTLS"},
		"tiny cache":           {"", []storagenode.Option{memory, storagenode.CacheSize(1)}, "CacheSize"},
		"limits":               {"", []storagenode.Option{memory, storagenode.WithLimits(storagenode.Limits{Skew: time.Nanosecond})}, "Skew"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := storagenode.Open(c.dir, self, c.opts...)
			require.ErrorIs(t, err, storagenode.ErrConfig)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestASettingOutOfBoundsLeavesNoDirectoryBehind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	_, err := storagenode.Open(dir, self, storagenode.WithLimits(storagenode.Limits{Skew: time.Nanosecond}))
	require.ErrorIs(t, err, storagenode.ErrConfig)
	require.NoDirExists(t, dir)
	_, err = storagenode.Open(dir, storagenode.Identity{Cluster: "c"})
	require.ErrorIs(t, err, storagenode.ErrConfig)
	require.NoDirExists(t, dir)
}

func TestAStoreThatIsMadeIsAnnouncedOnceAndIsForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	for _, made := range []bool{true, false} {
		var said bytes.Buffer
		n, err := storagenode.Open(dir, self, storagenode.WithLogger(slog.New(slog.NewTextHandler(&said, nil))))
		require.NoError(t, err)
		require.NoError(t, n.Close(t.Context()))
		require.Equal(t, made, n.Made())
		require.Equal(t, made, strings.Contains(said.String(), "made a new, empty store"), &said)
		require.Contains(t, said.String(), "open_files_at_most=")
	}
	for _, path := range []string{dir, filepath.Join(dir, "data")} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
	}
}

func TestOneConnectionGetsABoundedNumberOfStreams(t *testing.T) {
	n, err := storagenode.Open("", self, storagenode.Memory())
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- n.Serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	_, err = conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
	require.NoError(t, err)
	header := make([]byte, 9) // of a SETTINGS frame: RFC 9113, sections 4.1 and 6.5
	_, err = io.ReadFull(conn, header)
	require.NoError(t, err)
	settings := make([]byte, header[2])
	_, err = io.ReadFull(conn, settings)
	require.NoError(t, err)
	streams := uint32(0)
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == 3 {
			streams = binary.BigEndian.Uint32(settings[2:])
		}
	}
	require.EqualValues(t, 64, streams)
	require.NoError(t, conn.Close())
	require.NoError(t, n.Close(t.Context()))
	require.NoError(t, <-served)
}

func TestCloseEndsHealthWatchesAndStreamsAndLeavesNothingBehind(t *testing.T) {
	n, err := storagenode.Open(t.TempDir(), self)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- n.Serve(l) }()
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)
	stream, err := storagepb.NewStorageClient(conn).Exchange(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.Send(&storagepb.ClientFrame{Hello: &storagepb.Hello{MinVersion: 1, MaxVersion: 1, Cluster: "test", Node: "n1"}}))
	_, err = stream.Recv()
	require.NoError(t, err)

	require.NoError(t, n.Close(t.Context()))
	require.NoError(t, n.Close(t.Context()), "a second time is nothing")
	require.NoError(t, <-served)
	_, err = stream.Recv()
	require.Error(t, err)
}
