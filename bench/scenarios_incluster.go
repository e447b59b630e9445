package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/devrev/pairdb/internal/memnet"
	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/topology"
)

// memnetBuffer is what a connection in memory holds in each direction, as a socket does.
const memnetBuffer = 256 << 10

// An inCluster is a cluster of memory nodes in this process, on a network in memory: no system calls, and every node
// at hand.
type inCluster struct {
	nodes     []*storagenode.Node
	listeners map[string]*memnet.Listener // by address
	topology  topology.Topology
	serving   sync.WaitGroup
}

func newInCluster(count int) (*inCluster, error) {
	c := &inCluster{listeners: map[string]*memnet.Listener{}, topology: topology.Topology{Cluster: cluster, Epoch: 1}}
	for i := range count {
		id := topology.NodeID(fmt.Sprintf("n%d", i+1))
		addr := fmt.Sprintf("%s:%d", id, 1)
		node, err := storagenode.Open("", storagenode.Identity{Cluster: cluster, Node: string(id)}, storagenode.Memory())
		if err != nil {
			c.stop()
			return nil, err
		}
		l := memnet.Listen(memnetBuffer)
		c.nodes, c.listeners[addr] = append(c.nodes, node), l
		c.topology.Nodes = append(c.topology.Nodes, topology.Node{ID: id, Addr: addr})
		c.serving.Go(func() { _ = node.Serve(l) }) // it returns when the node is closed
	}
	return c, nil
}

var errNoSuchNode = errors.New("no node has this address")

func (c *inCluster) dial(ctx context.Context, addr string) (net.Conn, error) {
	l := c.listeners[addr]
	if l == nil {
		return nil, errNoSuchNode
	}
	return l.DialContext(ctx)
}

func (c *inCluster) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, n := range c.nodes {
		all.Go(func() { _ = n.Close(ctx) }) // what it holds is of no use to anybody
	}
	all.Wait()
	c.serving.Wait()
}
