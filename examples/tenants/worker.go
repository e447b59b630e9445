package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/devrev/pairdb"
)

// workerEnv makes this program a process of a service instead of the whole show: it
// holds the backends, as JSON.
const workerEnv = "PAIRDB_TENANTS_WORKER"

// An event is one line that a worker prints.
type event struct {
	What string // "ready", "recorded", "written", "half", "level", "done"

	Dot       string // of a payment
	Outcome   string // what came of its idempotency key
	Duplicate bool
	Acked     int
	Owners    int

	Level string // of a request

	Calls, Duplicates, Failed int
	Err                       string
}

// say prints events, one at a time.
type say struct {
	mu sync.Mutex
	to *json.Encoder // guarded by mu
}

func (s *say) event(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.to.Encode(e) // who does not listen has gone, and this process goes too
}

func workerMain(args []string) int {
	out := &say{to: json.NewEncoder(os.Stdout)}
	if err := work(args, out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return 0
}

// work does what args say. It ends when the standard input does: a worker does not outlive
// the program that started it, however that ends.
func work(args []string, out *say) error {
	var b backends
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &b); err != nil {
		return fmt.Errorf("%s is for the program's own children; unset it", workerEnv)
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // Ctrl-C reaches the children too; the parent decides
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
		time.Sleep(time.Second) // for what respects ctx
		os.Exit(0)
	}()
	switch {
	case len(args) == 5 && args[0] == "pay":
		return payWorker(ctx, b, out, args[1], payment{order: args[2], amount: args[3], token: args[4]})
	case len(args) == 3 && args[0] == "count":
		n, err := strconv.Atoi(args[2])
		return errors.Join(err, countWorker(ctx, b, out, args[1], n))
	case len(args) == 1 && args[0] == "follow":
		return followWorker(ctx, b, out)
	}
	return fmt.Errorf("unknown work %q", args)
}

// events are hooks. They keep what the show tells of.
type events struct {
	mu    sync.Mutex
	once  []pairdb.Idempotency          // guarded by mu, as all below
	stale map[string]pairdb.TenantStale // the first of each tenant
}

// OnIdempotency implements pairdb.HookIdempotency.
func (e *events) OnIdempotency(i pairdb.Idempotency) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.once = append(e.once, i)
}

// OnTenantStale implements pairdb.HookTenantStale.
func (e *events) OnTenantStale(t pairdb.TenantStale) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stale == nil {
		e.stale = map[string]pairdb.TenantStale{}
	}
	if _, known := e.stale[t.Tenant]; !known {
		e.stale[t.Tenant] = t
	}
}

// outcome returns what came of the last idempotency key, and forgets it.
func (e *events) outcome() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.once) == 0 {
		return "recorded"
	}
	last := e.once[len(e.once)-1]
	e.once = nil
	return last.What.String()
}

func (e *events) staleOf(tenant string) (pairdb.TenantStale, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, ok := e.stale[tenant]
	return t, ok
}
