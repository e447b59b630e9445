package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// program is the binary under test, built once.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pairdb-node")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "pairdb-node")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build: %v\n%s", err, out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds what a busy machine may take; nothing is measured by it.
const patience = 60 * time.Second

type process struct {
	cmd   *exec.Cmd
	ready map[string]string // the fields of the ready line
	log   *strings.Builder  // to be read after wait
	conn  *grpc.ClientConn
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &process{ready: map[string]string{}, log: new(strings.Builder)}
	p.cmd = exec.CommandContext(ctx, program, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		_ = p.cmd.Wait()
		t.Fatalf("the node did not start: %s", p.log)
	}
	for _, field := range strings.Fields(lines.Text()) {
		if name, value, ok := strings.Cut(field, "="); ok {
			p.ready[name] = value
		}
	}
	p.conn, err = grpc.NewClient(p.ready["address"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.conn.Close() })
	return p
}

// end sends a signal and returns how the process ended.
func (p *process) end(t *testing.T, s syscall.Signal) error {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(s))
	return p.cmd.Wait()
}

// do runs one operation on a stream of its own.
func (p *process) do(t *testing.T, op *storagepb.Operation) *storagepb.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := storagepb.NewStorageClient(p.conn).Exchange(ctx)
	require.NoError(t, err)
	require.NoError(t, stream.Send(&storagepb.ClientFrame{Hello: &storagepb.Hello{MinVersion: 1, MaxVersion: 1, Cluster: "c", Node: "n1"}}))
	require.NoError(t, stream.Send(&storagepb.ClientFrame{Operations: []*storagepb.Operation{op}}))
	_, err = stream.Recv()
	require.NoError(t, err)
	frame, err := stream.Recv()
	require.NoError(t, err)
	require.Len(t, frame.GetAnswers(), 1)
	return frame.GetAnswers()[0]
}

func (p *process) put(t *testing.T, key, value string) {
	t.Helper()
	s := vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: vclock.Dot{Actor: 1, Stamp: vclock.StampAt(time.Now())}, Value: []byte(value)})
	a := p.do(t, &storagepb.Operation{Id: 1, Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte(key), State: wire.FromState(s)})
	require.Equal(t, storagepb.Status_OK, a.GetStatus(), "%v", a)
}

func (p *process) get(t *testing.T, key string) string {
	t.Helper()
	a := p.do(t, &storagepb.Operation{Id: 1, Kind: storagepb.Kind_READ_STATE, Tenant: "t", Key: []byte(key)})
	require.Equal(t, storagepb.Status_OK, a.GetStatus(), "%v", a)
	require.Len(t, a.GetState().GetSiblings(), 1)
	return string(a.GetState().GetSiblings()[0].GetValue())
}

func TestSIGTERMStopsTheNodeCleanlyAndItsDataStays(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--dir", dir, "--cluster", "c", "--node", "n1"}
	first := start(t, args...)
	first.put(t, "k", "v")
	require.NoError(t, first.end(t, syscall.SIGTERM), "exit code 0; log:\n%s", first.log)
	require.Contains(t, first.log.String(), "msg=stopped")

	second := start(t, args...)
	require.Equal(t, first.ready["store"], second.ready["store"])
	require.Equal(t, "v", second.get(t, "k"))
	require.NoError(t, second.end(t, syscall.SIGINT))
}

func TestAKilledNodeComesBackWithWhatItAcknowledgedAndAWipedOneAsAnother(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--dir", dir, "--cluster", "c", "--node", "n1"}
	first := start(t, args...)
	for i := range 20 {
		first.put(t, fmt.Sprint("k", i), fmt.Sprint("v", i))
	}
	require.Error(t, first.end(t, syscall.SIGKILL))
	require.Equal(t, "true", first.ready["new"])

	second := start(t, args...)
	require.Equal(t, first.ready["store"], second.ready["store"])
	for i := range 20 {
		require.Equal(t, fmt.Sprint("v", i), second.get(t, fmt.Sprint("k", i)))
	}
	require.Error(t, second.end(t, syscall.SIGKILL))
	require.Equal(t, "false", second.ready["new"])
	require.NoError(t, os.RemoveAll(dir))

	third := start(t, args...)
	require.NotEqual(t, first.ready["store"], third.ready["store"])
	require.Equal(t, "true", third.ready["new"])
	require.NoError(t, third.end(t, syscall.SIGTERM))
	require.Contains(t, third.log.String(), "made a new, empty store")
}

func TestADirectoryThatIsInUseIsRefused(t *testing.T) {
	args := []string{"--dir", t.TempDir(), "--cluster", "c", "--node", "n1", "--listen", "127.0.0.1:0"}
	start(t, args...)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "store is in use")
	require.Contains(t, string(out), "stop the other process")
}

func TestTheAdviceAboutADamagedStoreIsToStartEmptyAndNeverToRestoreACopy(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--dir", dir, "--cluster", "c", "--node", "n1", "--listen", "127.0.0.1:0"}
	p := start(t, args...)
	require.NoError(t, p.end(t, syscall.SIGTERM))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "data")))
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "start empty")
	require.Contains(t, string(out), "Never restore an older copy")
	mark, err := os.ReadFile(filepath.Join(dir, "PAIRDB"))
	require.NoError(t, err)
	require.Contains(t, string(mark), "Never put an older copy in its place")
}

func TestAnotherNodesDirectoryIsRefusedAsAWrongSetting(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "--dir", dir, "--cluster", "c", "--node", "n1")
	require.NoError(t, p.end(t, syscall.SIGTERM))
	cmd := exec.CommandContext(t.Context(), program, "--dir", dir, "--cluster", "c", "--node", "n2", "--listen", "127.0.0.1:0")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, exitUsage, cmd.ProcessState.ExitCode())
	require.Contains(t, string(out), `node "n1" of cluster "c"`)
}

func TestTheHealthServiceSaysServing(t *testing.T) {
	p := start(t, "--memory", "--cluster", "c", "--node", "n1")
	for _, service := range []string{"", "pairdb.storage.v1.Storage"} {
		r, err := healthpb.NewHealthClient(p.conn).Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, healthpb.HealthCheckResponse_SERVING, r.GetStatus())
	}
	d, err := storagepb.NewStorageClient(p.conn).Describe(t.Context(), &storagepb.DescribeRequest{})
	require.NoError(t, err)
	require.False(t, d.GetSynced(), "a memory node does not claim to sync")
	require.Equal(t, p.ready["store"], fmt.Sprintf("%016x", d.GetStore()))
}

func TestTheAuditHasOneLinePerWriteHoweverOftenItIsSent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	p := start(t, "--memory", "--cluster", "c", "--node", "n1", "--audit", file)
	s := vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: vclock.Dot{Actor: 7, Stamp: vclock.StampAt(time.Now())}, Value: []byte("v")})
	for range 3 {
		p.do(t, &storagepb.Operation{Id: 1, Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte("k"), State: wire.FromState(s)})
	}
	require.NoError(t, p.end(t, syscall.SIGTERM))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "\n"))
	require.Contains(t, string(text), `"tenant":"t","key":"aw==","actor":"7"`)
}
