package replica

import (
	"time"

	"github.com/devrev/pairdb/storagepb"
)

// A State says whether a node can be reached.
type State uint8

const (
	// Connecting: no attempt has ended yet. Operations are accepted and wait for its outcome.
	Connecting State = iota
	// Up: there is a connection, and the node is the right one.
	Up
	// Down: the last attempt failed, or the connection broke. Operations are refused; the
	// node is tried again for as long as the Conn is open.
	Down
)

// String returns "connecting", "up" or "down".
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Up:
		return "up"
	default:
		return "down"
	}
}

// Health is what a Conn knows of its node at one moment. Counters are since New and never
// go back. They are read one by one, so that they may be off by what was going on meanwhile.
type Health struct {
	State State
	Since time.Time // of the change to State
	Err   error     // why it is Down; nil in the other states. ErrDown, with the cause

	// StoreID to Limits are from the last handshake; zero before the first.

	StoreID     uint64
	Amnesiac    bool              // StoreID is not the accepted one
	Synced      bool              // OK to a MERGE means "on disk"
	Epoch       uint64            // the node's
	ClockOffset time.Duration     // the node's clock less ours; right to within half of RoundTrip
	RoundTrip   time.Duration     // of the handshake
	Limits      *storagepb.Limits // shared, read-only; nil where the node told none

	// P95 and Mean are of the last 256 reads that the node answered, from Send to answer,
	// worked out anew every 64 reads. Zero before the 8th.

	P95, Mean time.Duration

	InFlight int // queued for the stream, or handed to it and unanswered
	Waiting  int // accepted, waiting for room

	// OldestUnanswered is how long the oldest operation that was handed over has
	// been without an answer; an expired one counts until the node says anything at all. Zero when the
	// node owes nothing.
	OldestUnanswered time.Duration
	// Silent is how long the node has owed an answer and said nothing.
	Silent time.Duration
	// Stalled is Silent >= Config.StallAfter: ask this node last.
	Stalled bool

	Sent       uint64 // operations handed over
	Answered   uint64 // answers that found their operation
	Broken     uint64 // handed operations that a broken connection left unanswered
	Expired    uint64 // operations that ended with ErrExpired
	Refused    uint64 // Sends that returned an error
	Connects   uint64 // connections that came up
	Reconnects uint64 // those after the first
	Attempts   uint64 // connection attempts
	Batches    uint64 // frames with operations
	BytesOut   uint64 // estimated size of the operations handed over
}
