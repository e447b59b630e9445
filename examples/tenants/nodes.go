package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/vclock"
)

// nodeCount is as many as the tenant with the most replicas needs.
const nodeCount = 5

// startNodes runs storage nodes in this process, each with its store on disk. A service has them
// elsewhere, as pairdb-node; here it lets us see every write that a node applies.
func (s *stage) startNodes(context.Context) error {
	for i := range nodeCount {
		id := storagenode.Identity{Cluster: s.Cluster, Node: nodeName(i)}
		// A shallow reserve: the run stores a few megabytes.
		node, err := storagenode.Open(filepath.Join(s.dir, id.Node), id,
			storagenode.WithAudit(s.audit.record), storagenode.CacheSize(4<<20), storagenode.Reserve(32<<20))
		if err != nil {
			return fmt.Errorf("%w; is there room on the disk of %s? TMPDIR names another place", err, s.dir)
		}
		s.nodes = append(s.nodes, node)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go func() { _ = node.Serve(listener) }() // ends with Close
		s.addrs = append(s.addrs, listener.Addr().String())
	}
	s.out.labelled("storage nodes", "%d in this process, each with its store on disk", nodeCount)
	return nil
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

func (s *stage) stopNodes() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	errs := make([]error, len(s.nodes))
	var all sync.WaitGroup
	for i, node := range s.nodes {
		all.Go(func() { errs[i] = node.Close(ctx) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// An audit knows which writes the nodes have applied: the proof that a retry had no effect.
type audit struct {
	mu   sync.Mutex
	dots map[string]map[vclock.Dot]int // guarded by mu; by tenant/key: on how many nodes each was applied
}

func (a *audit) record(tenant string, key []byte, dot vclock.Dot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := tenant + "/" + string(key)
	if a.dots == nil {
		a.dots = map[string]map[vclock.Dot]int{}
	}
	if a.dots[name] == nil {
		a.dots[name] = map[vclock.Dot]int{}
	}
	a.dots[name][dot]++
}

// effects returns how many different writes of a key were applied, and on how many nodes the
// most widespread one was.
func (a *audit) effects(tenant, key string) (writes, nodes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.dots[tenant+"/"+key] {
		nodes = max(nodes, n)
	}
	return len(a.dots[tenant+"/"+key]), nodes
}
