package replica

import (
	"sync/atomic"
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

	// StoreID to Transport are from the last handshake; zero before the first.

	StoreID     uint64
	Amnesiac    bool              // StoreID is not the accepted one
	Synced      bool              // OK to a MERGE means "on disk"
	Epoch       uint64            // the node's
	ClockOffset time.Duration     // the node's clock less ours; right to within half of RoundTrip
	RoundTrip   time.Duration     // of the handshake
	Limits      *storagepb.Limits // shared, read-only; nil where the node told none
	Transport   string            // "frames" (package framed) or "grpc"

	// P95 and Mean are of 256 reads, from Send to answer: the last ones, or of a busy connection some of the last
	// eighth of a second; see Overdue and Recovered for what
	// else counts. They are worked out anew every 64 of them, and when 13 in that time lie above P95. Zero before the 8th.

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

// A status is the part of Health that changes with the connection. It is
// immutable once published.
type status struct {
	state       State
	since       time.Time
	err         error
	storeID     uint64
	amnesiac    bool
	synced      bool
	epoch       uint64
	clockOffset time.Duration
	roundTrip   time.Duration
	limits      *storagepb.Limits
	transport   string
}

// counters are the part of Health that changes with each operation.
type counters struct {
	inFlight, waiting atomic.Int64
	oldest            atomic.Int64 // see Conn.settle; Conn.now, 0 is none
	heard             atomic.Int64 // last frame from the node; Conn.now

	sent, answered, broken, expired, refused atomic.Uint64
	connects, attempts, batches, bytesOut    atomic.Uint64
}

// Health returns what is known of the node. It takes no lock.
func (c *Conn) Health() Health {
	s := c.status.Load()
	h := Health{
		State: s.state, Since: s.since, Err: s.err,
		StoreID: s.storeID, Amnesiac: s.amnesiac, Synced: s.synced, Epoch: s.epoch,
		ClockOffset: s.clockOffset, RoundTrip: s.roundTrip, Limits: s.limits, Transport: s.transport,
		P95:      time.Duration(c.reads.p95.Load()),
		Mean:     time.Duration(c.reads.mean.Load()),
		InFlight: int(c.inFlight.Load()), Waiting: int(c.waiting.Load()),
		Sent: c.sent.Load(), Answered: c.answered.Load(), Broken: c.broken.Load(),
		Expired: c.expired.Load(), Refused: c.refused.Load(),
		Connects: c.connects.Load(), Attempts: c.attempts.Load(),
		Batches: c.batches.Load(), BytesOut: c.bytesOut.Load(),
	}
	h.Reconnects = h.Connects - min(h.Connects, 1)
	if oldest, now := c.oldest.Load(), c.now(); oldest != 0 {
		h.OldestUnanswered = time.Duration(now - oldest)
		h.Silent = time.Duration(max(now-max(oldest, c.heard.Load()), 0))
		h.Stalled = h.Silent >= c.cfg.StallAfter
	}
	return h
}

// HasWaiting reports whether some operation waits for room. It takes no lock.
func (c *Conn) HasWaiting() bool { return c.waiting.Load() > 0 }

// Standing returns the node's state, and whether it is amnesiac. It takes no lock.
func (c *Conn) Standing() (s State, amnesiac bool) {
	now := c.status.Load()
	return now.state, now.amnesiac
}

// A Glance is the part of Health that is asked for with each request.
type Glance struct {
	State    State
	Amnesiac bool
	Stalled  bool
	P50, P95 time.Duration // as Health's
	Silent   time.Duration
}

// Glance returns it as it is now, which the caller has at hand, without the counters that Health gathers. It takes no
// lock and asks no clock.
func (c *Conn) Glance(now time.Time) Glance {
	s := c.status.Load()
	g := Glance{State: s.state, Amnesiac: s.amnesiac, P50: time.Duration(c.reads.p50.Load()), P95: time.Duration(c.reads.p95.Load())}
	if oldest := c.oldest.Load(); oldest != 0 {
		g.Silent = time.Duration(max(c.at(now)-max(oldest, c.heard.Load()), 0))
		g.Stalled = g.Silent >= c.cfg.StallAfter
	}
	return g
}
