package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"

	"google.golang.org/grpc"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagepb"
)

// serveEnv makes this program the other process: the servers.
const serveEnv = "PAIRDB_THROUGHPUT_SERVE"

const cluster = "throughput"

// serve runs three memory nodes and three unary servers, prints their
// addresses, and ends when its standard input does.
func serve() {
	for i := range replicas {
		node, err := storagenode.Open("", storagenode.Identity{Cluster: cluster, Node: nodeName(i)}, storagenode.Memory())
		check(err)
		fmt.Println(listen(node.Serve))
	}
	for range replicas {
		server := grpc.NewServer()
		server.RegisterService(&unaryService, &unary{values: map[string]*storagepb.State{}})
		fmt.Println(listen(server.Serve))
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

func listen(serve func(net.Listener) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() { check(serve(l)) }()
	return l.Addr().String()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "throughput: server:", err)
		os.Exit(1)
	}
}

// startServers runs serve in a child process, which ends with this one.
func startServers(ctx context.Context) (nodes, unaries []string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, nil, err
	}
	child := exec.CommandContext(ctx, self)
	child.Env = append(os.Environ(), serveEnv+"=1")
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return nil, nil, nil, err
	}
	if err := child.Start(); err != nil {
		return nil, nil, nil, err
	}
	stop = func() {
		_ = in.Close()
		_ = child.Wait()
	}
	lines := bufio.NewScanner(out)
	var addrs []string
	for len(addrs) < 2*replicas && lines.Scan() {
		addrs = append(addrs, lines.Text())
	}
	if len(addrs) < 2*replicas {
		stop()
		return nil, nil, nil, errors.New("the servers did not start")
	}
	return addrs[:replicas], addrs[replicas:], stop, nil
}

// unary is the server that one writes by hand: a map behind a lock.
type unary struct {
	mu     sync.RWMutex
	values map[string]*storagepb.State // guarded by mu
}

func (u *unary) do(op *storagepb.Operation) *storagepb.Answer {
	a := &storagepb.Answer{Id: op.Id, Status: storagepb.Status_OK}
	if op.Kind == storagepb.Kind_MERGE {
		u.mu.Lock()
		u.values[string(op.Key)] = op.State
		u.mu.Unlock()
		return a
	}
	u.mu.RLock()
	a.State = u.values[string(op.Key)]
	u.mu.RUnlock()
	return a
}

const unaryMethod = "/pairdb.bench.Unary/Do"

var unaryService = grpc.ServiceDesc{
	ServiceName: "pairdb.bench.Unary",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Do",
		Handler: func(srv any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			op := new(storagepb.Operation)
			if err := decode(op); err != nil {
				return nil, err
			}
			return srv.(*unary).do(op), nil
		},
	}},
}
