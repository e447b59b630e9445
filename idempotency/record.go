package idempotency

import "github.com/devrev/pairdb/vclock"

const (
	// MaxTokenBytes bounds a token; the least is 1.
	MaxTokenBytes = 255
	// MaxKeyBytes bounds a key's name, as the client does; the least is 1.
	MaxKeyBytes = 1024
	// MaxNameBytes bounds a tenant id; a cluster's name is shorter.
	MaxNameBytes = 128
)

// A Key names one record: the caller's token, for one key of one tenant. The same token
// used with another key is another record.
type Key struct {
	Cluster string // 1 to MaxNameBytes of [A-Za-z0-9._-], as in the topology
	Tenant  string // the same
	Key     string // 1 to MaxKeyBytes, any bytes
	Token   string // 1 to MaxTokenBytes, any bytes: what WithIdempotencyKey was given
}

// An Op is the kind of write that a record is of.
type Op uint8

// The operations. Zero is none.
const (
	Put Op = iota + 1
	Delete
	Update
)

// String returns "put", "delete" or "update".
func (o Op) String() string {
	switch o {
	case Put:
		return "put"
	case Delete:
		return "delete"
	case Update:
		return "update"
	default:
		return "unknown operation"
	}
}

// A Fingerprint stands for what was asked for; see FingerprintOf. Two requests under one key
// whose fingerprints differ are in conflict.
type Fingerprint [16]byte

// An Intent is a write as it is sent to the storage nodes, whoever sends it.
type Intent struct {
	Fingerprint Fingerprint
	Op          Op
	Policy      vclock.Policy
	// State is what is sent: one sibling, which names the dot, and for causal tenants
	// the clock that has seen what the write's context has, and the write.
	State vclock.State
}

// Dot names the write.
func (i Intent) Dot() vclock.Dot {
	if len(i.State.Siblings) != 1 {
		return vclock.Dot{}
	}
	return i.State.Siblings[0].Dot
}

// A Result is what is kept of a write that succeeded, beside its dot and clock.
type Result struct {
	Acked, Owners int  // as in the receipt; 0 to 255
	Superseded    bool // last-write-wins: a write with a greater stamp was there
}

// A Record is what a Store holds for a key.
type Record struct {
	// Intent is the write. Of a finished record the sibling's value is left out.
	Intent Intent
	// Done says that the write was acknowledged; then Result is set.
	Done   bool
	Result Result
}
