package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagenode"
)

func try(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, func(name string) string { return env[name] }, &out, &err)
	return code, out.String(), err.String()
}

func TestWrongSettingsEndWithCode2AndSayWhatToDo(t *testing.T) {
	memory := []string{"--memory", "--cluster", "c", "--node", "n1"}
	for name, c := range map[string]struct {
		args []string
		env  map[string]string
		says string
	}{
		"nothing":          {nil, nil, "--cluster"},
		"no node":          {[]string{"--cluster", "c"}, nil, "--node"},
		"no directory":     {[]string{"--cluster", "c", "--node", "n"}, nil, "--dir"},
		"both kinds":       {append(memory, "--dir", "x"), nil, "exclude each other"},
		"unknown flag":     {[]string{"--what"}, nil, "--help"},
		"an argument":      {[]string{"serve"}, nil, `"serve"`},
		"half of TLS":      {append(memory, "--tls-cert", "x"), nil, "--tls-key"},
		"no certificate":   {append(memory, "--tls-cert", "x", "--tls-key", "y"), nil, "PEM"},
		"authority alone":  {append(memory, "--tls-ca", "x"), nil, "--tls-cert"},
		"log format":       {append(memory, "--log-format", "xml"), nil, "text or json"},
		"log level":        {append(memory, "--log-level", "loud"), nil, "debug, info"},
		"a bad variable":   {memory, map[string]string{"PAIRDB_NODE_SKEW": "soon"}, "PAIRDB_NODE_SKEW"},
		"skew":             {append(memory, "--skew", "2h"), nil, "--skew is 2h"},
		"no skew":          {append(memory, "--skew", "0"), nil, "--skew is 0s"},
		"no window":        {append(memory, "--window", "0"), nil, "--window is 0s"},
		"no value":         {append(memory, "--max-value", "0"), nil, "--max-value is 0"},
		"no sibling":       {append(memory, "--max-siblings", "0"), nil, "--max-siblings is 0"},
		"no cache":         {append(memory, "--cache-mib", "0"), nil, "--cache-mib is 0"},
		"short retention":  {append(memory, "--retention", "1m"), nil, "--retention is 1m0s"},
		"long name":        {append(memory, "--cluster", strings.Repeat("x", 129)), nil, "at most 128"},
		"no port":          {append(memory, "--listen", "127.0.0.1"), nil, "host:port"},
		"a bad port":       {append(memory, "--listen", "127.0.0.1:notaport"), nil, "notaport"},
		"too high a port":  {append(memory, "--listen", "127.0.0.1:70000"), nil, "70000"},
		"unwritable audit": {append(memory, "--audit", "/no/such/dir/audit"), nil, "--audit"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := try(t, c.env, c.args...)
			require.Equal(t, exitUsage, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.says)
		})
	}
}

func TestAnAddressThatIsTakenEndsWithCode1(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	code, _, stderr := try(t, nil, "--memory", "--cluster", "c", "--node", "n", "--listen", taken.Addr().String())
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "--listen")
}

func TestHelpShowsExamplesAndTheVariables(t *testing.T) {
	code, stdout, _ := try(t, nil, "--help")
	require.Zero(t, code)
	require.Contains(t, stdout, "Examples:")
	require.Contains(t, stdout, "PAIRDB_NODE_MAX_VALUE")
	require.Contains(t, stdout, "Certificates are read once")
}

func TestVersionIsPrintedAndNeedsNoSettingsAndNoVariable(t *testing.T) {
	code, stdout, _ := try(t, nil, "--version")
	require.Zero(t, code)
	require.Regexp(t, `^pairdb-node \S+\n$`, stdout)
	_, err := parse([]string{"--memory", "--cluster", "c", "--node", "n"},
		func(name string) string { return map[string]string{"PAIRDB_NODE_VERSION": "1.2.3"}[name] }, nil)
	require.NoError(t, err)
}

func TestWhoMayReachTheDataIsSaidWhereItIsMoreThanItSeems(t *testing.T) {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified}
	for name, c := range map[string]struct {
		s    settings
		at   net.Addr
		says string
	}{
		"loopback":        {settings{}, loopback, ""},
		"in the clear":    {settings{}, everywhere, "in the clear"},
		"no authority":    {settings{cert: "x", key: "y"}, loopback, "any client"},
		"with mutual TLS": {settings{cert: "x", key: "y", ca: "z"}, everywhere, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			c.s.warn(c.at, slog.New(slog.NewTextHandler(&said, nil)))
			require.Contains(t, said.String(), c.says)
			require.Equal(t, c.says == "", said.Len() == 0)
		})
	}
}

func TestAFlagWinsOverItsVariable(t *testing.T) {
	env := map[string]string{"PAIRDB_NODE_CLUSTER": "env", "PAIRDB_NODE_NODE": "env", "PAIRDB_NODE_DIR": filepath.Join("x", "y")}
	s, err := parse([]string{"--node", "flag"}, func(name string) string { return env[name] }, nil)
	require.NoError(t, err)
	require.Equal(t, "env", s.cluster)
	require.Equal(t, "flag", s.node)
	require.Equal(t, filepath.Join("x", "y"), s.dir)
}

// A brokenFS makes no files once it is broken.
type brokenFS struct {
	vfs.FS
	broken atomic.Bool
}

func (f *brokenFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if f.broken.Load() {
		return nil, syscall.EIO
	}
	return f.FS.Create(name, c)
}

func TestANodeWhoseStoreHasFailedEndsWithCode1AndSaysWhy(t *testing.T) {
	disk := &brokenFS{FS: vfs.NewMem()}
	node, err := storagenode.Open("store", storagenode.Identity{Cluster: "c", Node: "n1"}, storagenode.WithFS(disk))
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	disk.broken.Store(true) // for the tables that the end writes
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var said bytes.Buffer
	code := serve(ctx, settings{grace: time.Minute}, node, listener, slog.New(slog.NewTextHandler(&said, nil)))
	require.Equal(t, exitFailed, code)
	require.Contains(t, said.String(), syscall.EIO.Error())
	require.NotContains(t, said.String(), ".go:", "a message, no stack")
}
