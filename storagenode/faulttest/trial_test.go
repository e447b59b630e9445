//go:build unix

package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/history"
)

// reportedKeys bounds the histories that a failure prints.
const reportedKeys = 3

// A trial is one history under one nemesis.
type trial struct {
	c          *cluster
	seed       uint64
	nemesis    *nemesis
	keys       []string
	level      pairdb.Level // of reads and writes
	log        history.Log
	violations []history.Violation
}

func newTrial(c *cluster, seed uint64, keys int, strikes []strike) *trial {
	return &trial{
		c: c, seed: seed, keys: keyNames(fmt.Sprintf("%016x", seed), keys), level: pairdb.Quorum,
		nemesis: newNemesis(c, seed, strikes),
	}
}

// torment lets workers work and a nemesis act for d, then joins both.
func (r *trial) torment(t *testing.T, d time.Duration) {
	t.Helper()
	for _, co := range r.c.coords {
		require.NoError(t, co.ready(t.Context()), co.name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var failed error
	var acting sync.WaitGroup
	acting.Go(func() {
		defer cancel()
		failed = r.nemesis.run(ctx)
	})
	workers := r.work(ctx)
	acting.Wait()
	workers.Wait()
	require.NoError(t, failed)
}

// heal ends all faults and waits until every client can reach a quorum of every partition.
func (r *trial) heal(t *testing.T) {
	t.Helper()
	require.NoError(t, r.c.heal(t.Context()))
	for _, co := range r.c.coords {
		require.NoError(t, co.ready(t.Context()), co.name)
	}
}

// readAll reads every key through a client that has seen nothing yet, at Quorum and then at All.
func (r *trial) readAll(t *testing.T) {
	t.Helper()
	fresh := r.c.addCoordinator()
	defer r.c.removeCoordinator(fresh)
	require.NoError(t, fresh.allUp(t.Context()))
	for _, level := range []pairdb.Level{pairdb.Quorum, pairdb.All} {
		w := &history.Worker{
			Name:   "at the end, " + level.String(),
			Tenant: fresh.client.Load().Tenant(tenantID),
			Scope:  clusterName,
			Log:    &r.log,
			Rand:   rand.New(rand.NewPCG(r.seed, 2<<32)), //nolint:gosec // a schedule, not a secret
			Keys:   r.keys,
			Level:  level,
		}
		require.NoError(t, w.GetAll(t.Context()))
	}
	t.Logf("at the end %d keys were read at Quorum and at All", len(r.keys))
}

// report prints the totals, and what a failure is found by.
func (r *trial) report(t *testing.T) {
	t.Helper()
	n := r.log.Counts()
	t.Logf("seed %d, %d nodes, %d keys", r.seed, len(r.c.nodes), len(r.keys))
	t.Logf("reads %d, writes %d: acknowledged %d, not applied %d, unknown %d",
		n.Reads, n.Writes, n.Acked, n.NotApplied, n.Unknown)
	t.Logf("events: %s", r.c.events.totals())
	if !t.Failed() {
		return
	}
	t.Logf("again with PAIRDB_FAULT_SEED=%d; what the nemesis did:\n%s", r.seed, r.c.events)
	seen := map[string]bool{}
	for _, v := range r.violations {
		if !seen[v.Key] && len(seen) < reportedKeys {
			t.Logf("%v\n%s", v, r.log.Of(v.Key))
		}
		seen[v.Key] = true
	}
	for _, p := range r.c.nodes {
		t.Logf("last lines of %s:\n%s", p.id, p.log())
	}
}
