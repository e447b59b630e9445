//go:build unix

package faulttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
)

const (
	// Writes grow too old within the trial. A window is at least twice the skew.
	onceWindow = 2 * time.Second
	onceSkew   = time.Second

	workerSlots = 3                // processes at a time
	lifeLimit   = 2 * time.Second  // of a process that does not come to its step
	repeatLimit = 60 * time.Second // for all requests to succeed once faults have stopped
)

// A onceTrial is processes that repeat the same requests, under a nemesis that strikes storage nodes, links
// and Redis, and under dooms of their own.
type onceTrial struct {
	t           testing.TB
	dir         string
	seed        uint64
	rand        *rand.Rand
	c           *cluster // whose coordinators are the workers' links
	redis       *testservers.Redis
	requests    []*onceRequest
	freshTokens bool
	begun       time.Time
}

// newOnceTrial starts nodes and Redis, and writes what is to be overwritten.
func newOnceTrial(t testing.TB, seed uint64, requests int, d time.Duration, redisArgs ...string) *onceTrial {
	t.Helper()
	r := &onceTrial{t: t, dir: t.TempDir(), seed: seed, rand: rand.New(rand.NewPCG(seed, 3<<32))} //nolint:gosec // a schedule, not a secret
	r.redis = testservers.NewRedis(t, redisArgs...)
	r.c = startWith(t, 3, 0, false, func(node string) []string {
		return []string{"--audit", r.auditFile(node), "--window", onceWindow.String(), "--skew", onceSkew.String()}
	})
	for range workerSlots {
		r.c.addLinks()
	}
	r.requests = onceRequests(r.rand, requests, d)
	r.withClient(func(_ *coordinator, caller *onceCaller) {
		for _, req := range r.requests {
			if req.Over != nil {
				r.repeat(caller, req.Over)
				obj, err := caller.client.Tenant(req.Tenant).Get(t.Context(), req.Key)
				require.NoError(t, err)
				req.Context = obj.Context
			}
		}
	})
	return r
}

func (r *onceTrial) auditFile(node string) string { return filepath.Join(r.dir, "audit-"+node) }

// withClient opens a client for f in this process, which sees all nodes up.
func (r *onceTrial) withClient(f func(*coordinator, *onceCaller)) {
	r.t.Helper()
	store, connections, err := newStore(r.redis.Addr())
	require.NoError(r.t, err)
	caller, err := newOnceCaller("parent", filepath.Join(r.dir, "notes-parent"))
	require.NoError(r.t, err)
	co := r.c.addLinks()
	co.options, err = caller.onceOptions(store)
	require.NoError(r.t, err)
	require.NoError(r.t, co.open(r.t.Context()))
	require.NoError(r.t, co.allUp(r.t.Context()))
	caller.client = co.client.Load()
	f(co, caller)
	require.NoError(r.t, co.close(closeLimit), "with nothing wrong, a client closes in time")
	r.c.removeCoordinator(co)
	require.NoError(r.t, errors.Join(connections.Close(), caller.file.Close()))
}

// repeat makes a request until it succeeds.
func (r *onceTrial) repeat(c *onceCaller, req *onceRequest) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), repeatLimit)
	defer cancel()
	for !c.call(ctx, req, pairdb.Quorum) {
		require.NoError(r.t, ctx.Err(), "request %+v does not succeed, with nothing wrong: %s", req, c.file.Name())
	}
}

// torment has workers repeat requests while everything fails, for d; then everything is up again.
func (r *onceTrial) torment(d time.Duration) {
	r.t.Helper()
	r.begun = time.Now()
	ctx, cancel := context.WithTimeout(r.t.Context(), d)
	defer cancel()
	var failed [2 + workerSlots]error
	var tasks sync.WaitGroup
	run := func(i int, f func(context.Context) error) {
		tasks.Go(func() {
			if failed[i] = f(ctx); failed[i] != nil {
				cancel()
			}
		})
	}
	n := newNemesis(r.c, r.seed, everything)
	n.sparesClients = true
	run(0, n.run)
	run(1, r.tormentRedis)
	for slot := range workerSlots {
		rng := rand.New(rand.NewPCG(r.seed, uint64(4<<32|slot))) //nolint:gosec // a schedule, not a secret
		run(2+slot, func(ctx context.Context) error { return r.employ(ctx, slot, rng) })
	}
	tasks.Wait()
	require.NoError(r.t, errors.Join(failed[:]...))
	require.NoError(r.t, r.redis.Start())
	require.NoError(r.t, r.c.heal(r.t.Context()))
}

// tormentRedis kills, stops and freezes Redis, again and again.
func (r *onceTrial) tormentRedis(ctx context.Context) error {
	n := newNemesis(r.c, r.seed+1, nil)
	for n.pause(ctx, 200, 1500) {
		kind, strike, least, heal := "Redis SIGKILL", r.redis.Kill, 0, r.redis.Start
		switch n.rand.IntN(4) {
		case 0:
			kind, strike = "Redis SIGTERM", r.redis.Stop
		case 1:
			kind, strike, least, heal = "Redis SIGSTOP", r.redis.Freeze, 1000, r.redis.Thaw
		}
		r.c.events.add(kind, "")
		err := strike()
		n.pause(ctx, least, least+500)
		if err = errors.Join(err, heal()); err != nil {
			return err
		}
		r.c.events.add("Redis is up", "")
	}
	return nil
}

// employ runs one worker after the other at a slot. Each dies, of its doom or in the end of this.
func (r *onceTrial) employ(ctx context.Context, slot int, rng *rand.Rand) error {
	co := r.c.coords[slot]
	var next []string
	for i := 0; ctx.Err() == nil; i++ {
		if len(next) == 0 {
			next = slices.Clone(steps)
			rng.Shuffle(len(next), func(i, j int) { next[i], next[j] = next[j], next[i] })
		}
		name := fmt.Sprintf("w%d-%d", slot, i)
		o := orders{
			Name: name, Slot: slot, Slots: workerSlots, Seed: rng.Uint64(), Begun: r.begun, FreshTokens: r.freshTokens,
			Redis: r.redis.Addr(), Topology: co.topo, Requests: r.requests, Notes: filepath.Join(r.dir, "notes-"+name),
			Life: lifeLimit,
			Doom: doom{Step: next[0], Count: int32(1 + rng.IntN(2)), Merges: int32(1 + rng.IntN(3))},
		}
		next = next[1:]
		switch o.Doom.Step {
		case anyMoment:
			o.Life = time.Duration(100+rng.IntN(900)) * time.Millisecond
		case afterIntent, afterMerge, beforeReplaced, afterReplaced: // which are rare
			o.Doom.Count = 1
		}
		if err := r.runWorker(ctx, &o); err != nil {
			return fmt.Errorf("worker %s: %w", name, err)
		}
	}
	return nil
}

// runWorker runs a worker to its death. Whatever else ends it, or makes it speak, is an error.
func (r *onceTrial) runWorker(ctx context.Context, o *orders) error {
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	file := filepath.Join(r.dir, "orders-"+o.Name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.Command(self) //nolint:gosec // ourselves
	cmd.Env = append(os.Environ(), workerVariable+"="+file)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = dieWithParent()
	if err := starter.start(cmd); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() }) // an error means that it has ended
	defer stop()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && said.Len() == 0 {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return os.Remove(file)
		}
	}
	return fmt.Errorf("it ended with %w, and said:\n%s", err, said.Bytes())
}
