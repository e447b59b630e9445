package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/devrev/pairdb/bench/child"
	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/topology"
)

const (
	replicas = 3
	cluster  = "bench"
)

// nodeEnv makes a run of this program a storage node.
const nodeEnv = "PAIRDB_BENCH_NODE"

// serveNode runs a storage node until the program that started it ends it, if this run is to be one. It is opened
// as pairdb-node opens it, every option at its default.
func serveNode() bool {
	if os.Getenv(nodeEnv) == "" {
		return false
	}
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	id := flags.String("id", "", "the node's name")
	dir := flags.String("dir", "", "of the store; empty is memory")
	_ = flags.Parse(os.Args[1:]) // it exits
	endProfile, err := profile("node-" + *id)
	failIf(err)
	defer endProfile()
	var opts []storagenode.Option
	if *dir == "" {
		opts = append(opts, storagenode.Memory())
	}
	node, err := storagenode.Open(*dir, storagenode.Identity{Cluster: cluster, Node: *id}, opts...)
	failIf(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	failIf(err)
	go func() { failIf(node.Serve(listener)) }()
	child.Say(listener.Addr().String())
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	failIf(node.Close(ctx))
	return true
}

func failIf(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: node:", err)
		os.Exit(1)
	}
}

// nodes are running storage nodes.
type nodes struct {
	all   []*child.Child
	addrs []string // "id=host:port"
}

// startNodes starts so many nodes, with Pebble stores beneath the run's directory or with memory.
func startNodes(ctx context.Context, r *Run, count int, pebble bool) (*nodes, error) {
	list := new(nodes)
	for i := range count {
		id := fmt.Sprintf("n%d", i+1)
		args := []string{"-id", id}
		if pebble {
			dir, err := os.MkdirTemp(r.dir, "node-")
			if err != nil {
				list.stop()
				return nil, err
			}
			args = append(args, "-dir", filepath.Join(dir, "store"))
		}
		c, err := child.Start(ctx, r.serverLog, []string{nodeEnv + "=1"}, args)
		if err != nil {
			list.stop()
			return nil, fmt.Errorf("start node %s: %w", id, err)
		}
		list.all = append(list.all, c)
		list.addrs = append(list.addrs, id+"="+c.Line)
	}
	return list, nil
}

func (n *nodes) topology() topology.Source { return topology.Addrs(cluster, n.addrs...) }

// cpuTime is the processor time, until now, of the nodes.
func (n *nodes) cpuTime() (all time.Duration) {
	for _, c := range n.all {
		all += c.CPUTime()
	}
	return all
}

func (n *nodes) stop() {
	var all sync.WaitGroup
	for _, c := range n.all {
		all.Go(c.Stop)
	}
	all.Wait()
}
