package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/report"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/topology"
)

const (
	idleTenants = 10_000
	idleNodes   = 100
	idleKeys    = 1_000
)

func clientMemoryScenario() Scenario {
	return Scenario{Name: "client memory", Takes: 5 * time.Second, Run: runClientMemory}
}

// runClientMemory measures what a client with many tenants and nodes holds while nothing is asked of it. The nodes
// are in this process and there before the client is; what the client's connections take at their ends is in
// the figure.
func runClientMemory(ctx context.Context, r *Run) (found Findings, err error) {
	servers, err := newInCluster(idleNodes)
	if err != nil {
		return found, err
	}
	defer servers.stop()
	configs := make([]tenant.Config, idleTenants)
	for i := range configs {
		configs[i] = tenant.Config{ID: fmt.Sprintf("tenant-%05d", i), Replicas: replicas}
	}
	store, err := tenant.NewMemory(configs...)
	if err != nil {
		return found, err
	}
	heap, resident := settledMemory()
	client, tenants, err := idleClient(ctx, servers, store, configs)
	if client != nil {
		defer func() { closeSoon(client) }()
	}
	if err != nil {
		return found, err
	}
	heapAfter, residentAfter := settledMemory()
	runtime.KeepAlive(tenants)
	runtime.KeepAlive(configs)
	r.progress.say("client memory: %d MiB of heap", (heapAfter-heap)/mib)
	found.Figures = []report.Figure{{
		Name: "memory/client", Value: more(heapAfter, heap), Unit: "MiB",
		Note: fmt.Sprintf("heap and stacks, the nodes' ends of the connections included; resident %.0f MiB more", more(residentAfter, resident)),
	}}
	return found, nil
}

// idleClient opens a client, calls each tenant once, writes the keys, and returns what is to be kept.
func idleClient(ctx context.Context, servers *inCluster, store tenant.Store, configs []tenant.Config) (*pairdb.Client, []*pairdb.Tenant, error) {
	cache, err := tenant.NewCache(store)
	if err != nil {
		return nil, nil, err
	}
	client, err := pairdb.Open(ctx, topology.Static(servers.topology), pairdb.WithDialer(servers.dial), pairdb.WithTenants(cache))
	if err != nil {
		return nil, nil, err
	}
	if err := client.Ready(ctx); err != nil {
		return client, nil, err
	}
	handles := make([]*pairdb.Tenant, len(configs))
	err = inParallel(ctx, 16, len(handles), func(ctx context.Context, i int) error {
		handles[i] = client.Tenant(configs[i].ID)
		if i < idleKeys {
			_, err := handles[i].Put(ctx, "key", []byte("value"))
			return err
		}
		if _, err := handles[i].Get(ctx, "key"); !errors.Is(err, pairdb.ErrNotFound) {
			return fmt.Errorf("get what is not there: %w", err)
		}
		return nil
	})
	return client, handles, err
}

// settledMemory is the memory in use and the resident memory once the garbage is collected and given back.
func settledMemory() (inUse, resident uint64) {
	runtime.GC() // finalizers and pools need two
	debug.FreeOSMemory()
	return memoryInUse(), residentBytes()
}

func more(after, before uint64) float64 { return (float64(after) - float64(before)) / mib }

func closeSoon(c *pairdb.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = c.Close(ctx) // what it has not finished is of no use to anybody
}
