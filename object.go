package pairdb

import (
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/vclock"
)

// Level says how many owners must answer. The zero Level is "as configured for the
// tenant, else for the client, else Quorum".
type Level = quorum.Level

// The levels.
const (
	One    = quorum.One
	Two    = quorum.Two
	Three  = quorum.Three
	Quorum = quorum.Quorum
	All    = quorum.All
)

// Policy says what becomes of concurrent writes; see package vclock.
type Policy = vclock.Policy

// The policies.
const (
	Causal        = vclock.Causal
	LastWriteWins = vclock.LastWriteWins
)

// CausalContext is what a reader has seen of a key: hand it to the write that
// follows with After, and the write replaces just what was seen. It is opaque, bound to
// its cluster, tenant and key, safe to use at any age, and marshals to text and
// binary, so that it survives a trip through a form or a cache.
type CausalContext = vclock.Context

// Dot names one write, for ever and everywhere.
type Dot = vclock.Dot

// Object is what a key holds.
//
// The caller owns Value and every Sibling's Value (they may share memory with each
// other) and may keep or change them.
type Object struct {
	Key string
	// Value is the resolved value; nil where there is none.
	Value []byte
	// Siblings are all concurrent values, tombstones included, oldest first.
	Siblings []Sibling
	// Context covers all siblings. It is set on ErrNotFound too.
	Context CausalContext
	// Expires is when Value expires; zero is never, or a merged value.
	Expires time.Time

	found bool
}

// Found reports whether the object has a live value.
func (o Object) Found() bool { return o.found }

// Conflict reports whether Value was chosen or merged from several live siblings.
func (o Object) Conflict() bool { return o.live() > 1 }

// live counts the siblings that are not deleted.
func (o *Object) live() (n int) {
	for i := range o.Siblings {
		if !o.Siblings[i].Deleted {
			n++
		}
	}
	return n
}

// Sibling is one of the concurrent values of a key.
type Sibling struct {
	Value []byte
	// Dot names the write that stored the value; Dot.Stamp.Time() is when, by the writer's clock.
	Dot Dot
	// Deleted marks a tombstone or an expired value.
	Deleted bool
	// Expires is when the value expires; zero is never.
	Expires time.Time
}

// Receipt is what a successful write tells.
type Receipt struct {
	// Dot names the write.
	Dot Dot
	// Context covers the write and all that it replaced: a later write with it
	// replaces this one.
	Context CausalContext
	// Acked of Owners owners had the write on disk when the call returned (in
	// memory, where a node says that it does not sync: Health's NotDurable).
	Acked, Owners int
	// RoundTrips counts the rounds of messages that the write took, a clock read
	// included: 1 for a Put with a context.
	RoundTrips int
	// Superseded (last-write-wins tenants): a write with a greater stamp is stored, so
	// that this one has no visible effect.
	Superseded bool
	// Duplicate (writes with an idempotency key): the receipt is of the write that an earlier
	// call under the key began, which this call found finished, or finished itself.
	// Acked and Owners are then those of the call that finished it.
	Duplicate bool
}

// Item is one write of PutMany.
type Item struct {
	Key   string
	Value []byte
	// Opts apply after the options of the call.
	Opts []WriteOption
}
