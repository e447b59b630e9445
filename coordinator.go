package pairdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

// A request's life starts here.
//
//	begin        input checked, tenant and owners looked up, deadline set       (caller)
//	readRequest  } a step machine of package quorum under a mutex; its events come from the caller
//	writeRequest } (start, hedge, give up) and from the connections (answers, failures)
//	wait         the caller sleeps until the machine has decided
//	tail         the connections go on feeding the machine; when its last operation has ended, it
//	             reports who missed the write; Close waits for it
//
// No goroutine is started for a request; where one waits for long, a timer that many share starts one for that moment (chime).

// call is what is known of a request before anything is sent.
type call struct {
	c        *Client
	v        *view
	ctx      context.Context
	op       string
	tenant   string
	key      string
	cfg      replication
	owners   []int32        // indices into v.nodes, in ring order; shared
	hash     vclock.KeyHash // of writes, once they are admitted
	started  time.Time
	recent   time.Time // a reading of the clock since which the call has not waited; zero where it may have
	deadline time.Time
	level    Level // the level that errors and hooks tell
	rounds   int
	write    bool

	scoped   bool // scopeSum is set
	scopeSum uint64
}

// replication is what a call needs of its tenant's config.
type replication struct {
	Replicas      int
	MaxValueBytes int // 0 is the client's
	Read, Write   Level
	Policy        Policy
}

// begin checks what can be checked and finds the owners. k is zero. It must be ended
// and left, also after an error.
func (k *call) begin(ctx context.Context, t *Tenant, op, key string, timeout time.Duration) error {
	k.c, k.ctx, k.op, k.tenant, k.key, k.write = t.c, ctx, op, t.id, key, op != opGet
	if !k.c.gate.enter() {
		return ErrClosed
	}
	begun := false
	defer func() {
		if !begun { // a hook or the tenant reader panicked: Close must not wait for this call
			k.c.gate.leave()
		}
	}()
	k.started = time.Now()
	k.recent = k.started
	k.startHooks()
	err := k.prepare(t, timeout)
	begun = true
	return err
}

// time is the time as the call needs it: to within what it has computed since it last waited. A reading costs more than a lookup of
// the owners.
func (k *call) time() time.Time {
	if k.recent.IsZero() {
		return time.Now()
	}
	return k.recent
}

// waits says that the call may wait, or run what is not this package's.
func (k *call) waits() { k.recent = time.Time{} }

func (k *call) startHooks() {
	if len(k.c.cfg.hooks.start) == 0 {
		return
	}
	k.waits()
	for _, h := range k.c.cfg.hooks.start {
		if ctx := h.OnRequestStart(k.ctx, RequestStart{Op: k.op, Tenant: k.tenant, Key: k.key}); ctx != nil {
			k.ctx = ctx
		}
	}
}

func (k *call) prepare(t *Tenant, timeout time.Duration) error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	if t.invalid != nil {
		return t.invalid
	}
	if err := validKey(k.key); err != nil {
		return err
	}
	k.setDeadline(timeout)
	return k.place()
}

// findTenant looks up the tenant, which may take a wait where its config is not at hand.
func (k *call) findTenant() error {
	c, atHand, err := k.c.tenants.find(k.ctx, k.tenant, k.deadline)
	if !atHand {
		k.waits()
	}
	if err == nil {
		k.cfg = replication{
			Replicas: c.Replicas, MaxValueBytes: c.Limits.MaxValueBytes, Read: c.Read, Write: c.Write, Policy: c.Policy,
		}
	}
	return err
}

// place looks up the tenant and the owners of the key.
func (k *call) place() error {
	c := k.c
	if err := k.findTenant(); err != nil {
		return err
	}
	k.v = c.view.Load()
	k.owners = k.v.owners(k.tenant, k.key, k.cfg.Replicas)
	if len(k.owners) < k.cfg.Replicas {
		return &InputError{Field: "tenant", Reason: fmt.Sprintf("has %d replicas, the cluster has %d nodes",
			k.cfg.Replicas, len(k.v.nodes))}
	}
	return nil
}

// keyHash names the key in the memories. It is worked out when it is asked for, after the admission of a write.
func (k *call) keyHash() vclock.KeyHash {
	if k.hash == (vclock.KeyHash{}) {
		k.hash = k.c.memory.hash(k.tenant, k.key)
	}
	return k.hash
}

func (k *call) setDeadline(timeout time.Duration) {
	given, ok := k.ctx.Deadline()
	switch {
	case timeout > 0:
		k.deadline = k.started.Add(timeout)
		if ok && given.Before(k.deadline) {
			k.deadline = given
		}
	case ok:
		k.deadline = given
	default:
		k.deadline = k.started.Add(k.c.cfg.timeout)
	}
}

// end counts the call, tells the hooks, and gives err the form that callers get.
func (k *call) end(err error, outcome error) error {
	if err != nil && k.c.background.Err() != nil && (errors.Is(err, replica.ErrClosed) || errors.Is(err, tenant.ErrClosed)) {
		err = &kindError{kind: ErrClosed, err: err} // cut by Close: no other call will do better
	}
	if err != nil && err != ErrNotFound { //nolint:errorlint // the bare sentinel, which stays bare
		if !k.write {
			outcome = nil
		}
		err = &requestError{op: k.op, tenant: k.tenant, key: k.key, outcome: outcome, cause: err}
	}
	if k.started.IsZero() { // it never entered
		return err
	}
	k.c.counters.count(k.op, err, outcome)
	if len(k.c.cfg.hooks.end) == 0 {
		return err
	}
	elapsed := time.Since(k.started)
	for _, h := range k.c.cfg.hooks.end {
		h.OnRequestEnd(k.ctx, RequestEnd{
			Op: k.op, Tenant: k.tenant, Key: k.key, Level: k.level,
			Err: err, Elapsed: elapsed, RoundTrips: k.rounds,
		})
	}
	return err
}

// leave lets Close go on. It is deferred, since functions of the caller's own (a
// resolver, Update's) run within a call, and may panic.
func (k *call) leave() {
	if !k.started.IsZero() {
		k.c.gate.leave()
	}
}

// scope binds contexts to this cluster, tenant and key.
func (k *call) scope() uint64 {
	if !k.scoped {
		k.scopeSum, k.scoped = vclock.Scope(k.v.topo.Cluster, k.tenant, k.key), true
	}
	return k.scopeSum
}

func (k *call) readLevel(asked Level) Level {
	return firstLevel(asked, k.cfg.Read, k.c.cfg.levels.Read)
}

func (k *call) writeLevel(asked Level) Level {
	return firstLevel(asked, k.cfg.Write, k.c.cfg.levels.Write)
}

func firstLevel(levels ...Level) Level {
	for _, l := range levels {
		if l != quorum.Default {
			return l
		}
	}
	return quorum.Quorum
}

// checkLevel refuses a level that the owners cannot give, by its field.
func (k *call) checkLevel(l Level) error {
	if _, ok := l.Need(len(k.owners)); !ok {
		return levelError(k.op, l, len(k.owners))
	}
	return nil
}

func validKey(key string) error {
	switch {
	case key == "":
		return &InputError{Field: "key", Reason: "is empty"}
	case len(key) > MaxKeyBytes:
		return &InputError{Field: "key", Reason: fmt.Sprintf("has %d bytes, at most %d are allowed", len(key), MaxKeyBytes)}
	}
	return nil
}

const (
	opGet    = "get"
	opPut    = "put"
	opDelete = "delete"
	opUpdate = "update"
)
