package pairdb

import (
	"context"
	"fmt"
	"time"

	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

// A Hook is any value that implements at least one of the Hook… interfaces;
// Open refuses others. Hooks run on the client's own goroutines, some of them on those
// that read from nodes: they must be quick and must not block. Several may run at once.
type Hook any

// HookRequestStart is called as a request begins, on the caller's goroutine.
// The context that it returns is used for the request and handed to HookRequestEnd:
// a place for a tracing span.
type HookRequestStart interface {
	OnRequestStart(ctx context.Context, e RequestStart) context.Context
}

// HookRequestEnd is called when a request returns, on the caller's goroutine.
type HookRequestEnd interface {
	OnRequestEnd(ctx context.Context, e RequestEnd)
}

// HookNodeState is called when a node's connection changes.
type HookNodeState interface{ OnNodeState(e NodeState) }

// HookTopology is called when a topology takes effect, or is refused.
type HookTopology interface{ OnTopology(e TopologyChange) }

// HookRepair is called when a read found an owner behind and the client sends it the joined state.
type HookRepair interface{ OnRepair(e Repair) }

// HookMissed is called when the tail of a write has ended and some owners have
// not acknowledged it: until read repair or anti-entropy they are behind.
type HookMissed interface{ OnMissed(e Missed) }

// HookConflict is called when a read met several live siblings.
type HookConflict interface{ OnConflict(e Conflict) }

// HookTenantStale is called when a known tenant was served as it was last seen, since the
// tenant store cannot be asked. It is called for tenants behind a tenant.Cache.
type HookTenantStale interface{ OnTenantStale(e TenantStale) }

// HookIdempotency is called when something came of a write's idempotency key, on the
// caller's goroutine.
type HookIdempotency interface{ OnIdempotency(e Idempotency) }

// RequestStart tells of a request that begins.
type RequestStart struct {
	Op     string // "get", "put", "delete", "update"
	Tenant string
	Key    string
}

// RequestEnd tells of a request that returned.
type RequestEnd struct {
	Op         string
	Tenant     string
	Key        string
	Level      Level // zero where the request failed before its level was known
	Err        error // nil, or what the caller gets; ErrNotFound included
	Elapsed    time.Duration
	RoundTrips int
}

// NodeState tells of a node's connection.
type NodeState struct {
	Node   topology.NodeID
	Addr   string
	Health replica.Health
}

// TopologyChange tells of a topology: Err is nil when it took effect.
type TopologyChange struct {
	Topology *topology.Topology // nil when the source itself failed
	Err      error
}

// Repair tells of one owner that was behind.
type Repair struct {
	Tenant string
	Key    string
	Node   topology.NodeID
}

// Missed tells of owners without a write.
type Missed struct {
	Tenant string
	Key    string
	Dot    Dot
	Nodes  []topology.NodeID
}

// Conflict tells of a key with several live siblings.
type Conflict struct {
	Tenant   string
	Key      string
	Siblings int
}

// TenantStale tells of a tenant that was served though it may have changed.
type TenantStale struct {
	Tenant string
	Age    time.Duration // since it was last read from the store
	Err    error         // why it could not be read again
}

// Idempotency tells of a write under an idempotency key.
type Idempotency struct {
	Tenant string
	Key    string
	Token  string
	What   IdempotencyEvent
	Err    error // of the store, where that is why
}

// An IdempotencyEvent is what came of an idempotency key.
type IdempotencyEvent uint8

// The events. A write that met no other one, and was recorded, has none.
const (
	// KeyDuplicate: the write was finished before; its receipt was returned.
	KeyDuplicate IdempotencyEvent = iota + 1
	// KeyReplayed: an unfinished write was met, and its very dot sent again.
	KeyReplayed
	// KeySettled: an unfinished write was too old to be sent again, some owner had it, and
	// it was brought to the others.
	KeySettled
	// KeyReplaced: an unfinished write was too old to be sent again and no owner
	// had it; this call's write took its place.
	KeyReplaced
	// KeyConflict: the key is of another request; the call failed.
	KeyConflict
	// KeyUnfinished: the write succeeded, but that could not be recorded. A repetition
	// sends the same dot again, without effect.
	KeyUnfinished
	// KeyUnprotected: the store could not be asked, and the client was opened to go on
	// without it (FailOpen): a repetition of this write may have a second effect.
	KeyUnprotected
)

// String returns "duplicate", "replayed" and so on, for logs and metrics.
func (e IdempotencyEvent) String() string {
	names := [...]string{"unknown", "duplicate", "replayed", "settled", "replaced", "conflict", "unfinished", "unprotected"}
	if int(e) >= len(names) {
		e = 0
	}
	return names[e]
}

// hooks are the given hooks, sorted by what they implement.
type hooks struct {
	start    []HookRequestStart
	end      []HookRequestEnd
	node     []HookNodeState
	topology []HookTopology
	repair   []HookRepair
	missed   []HookMissed
	conflict []HookConflict
	stale    []HookTenantStale
	once     []HookIdempotency
}

func (h *hooks) add(hook Hook) error {
	known := false
	known = collect(&h.start, hook) || known
	known = collect(&h.end, hook) || known
	known = collect(&h.node, hook) || known
	known = collect(&h.topology, hook) || known
	known = collect(&h.repair, hook) || known
	known = collect(&h.missed, hook) || known
	known = collect(&h.conflict, hook) || known
	known = collect(&h.stale, hook) || known
	known = collect(&h.once, hook) || known
	if !known {
		return &InputError{Field: "WithHooks", Reason: fmt.Sprintf("%T implements none of the Hook interfaces", hook)}
	}
	return nil
}

func collect[H any](list *[]H, hook Hook) bool {
	h, ok := hook.(H)
	if ok {
		*list = append(*list, h)
	}
	return ok
}
