package replica

import (
	"time"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// An Op is one operation for one node. The caller fills in the exported fields,
// gives it to Conn.Send, and leaves it alone until the Conn lets go of it: when Send
// returns an error, when Withdraw returns true, or when Complete is called. Then it
// may be used again. An Op is in at most one Conn at a time.
//
// State is the exception: states are immutable, and its slices, values included, must never
// change again: other owners' operations, repairs and receipts share them.
type Op struct {
	Kind   storagepb.Kind
	Tenant string
	Key    string
	Policy vclock.Policy
	Origin storagepb.Origin
	State  vclock.State // MERGE only

	// Epoch is that of the topology by which the node was chosen. 0 is the Conn's
	// own at the time of Send.
	Epoch uint64

	// Deadline ends the wait; the zero Time never does. The node is told how much
	// of it is left when the operation is handed over. Past it the Op completes with
	// ErrExpired, within about 10 ms.
	Deadline time.Time

	// Background makes Send refuse the Op with ErrOverloaded where it would
	// have to wait for room: for repairs and the like.
	Background bool

	// Handler is told the outcome. It must not be nil.
	Handler Handler
	// Tag is the handler's own, to tell its operations apart. The Conn does not read it.
	Tag uint32

	// All that follows is guarded by the Conn's mutex.

	conn       *Conn
	place      place
	lane       *lane
	prev, next *Op
	slot       uint32
	size       int
	epoch      uint64
	accepted   int64 // time of Send, nanoseconds of Conn.now
	handed     int64 // time of handing over
	deadline   int64

	filed         bool // a sweep has seen it: it is in the wheel, if it has a deadline
	before, after *Op  // in the wheel
}

// A Handler learns how operations ended.
type Handler interface {
	// Complete is called exactly once per accepted operation that was not withdrawn,
	// from a goroutine of the Conn, never from within Send, Withdraw or Close, and with
	// no lock held. All other operations of the node wait for it, so it must
	// be quick and must not block. It may call Send and Withdraw on this and on
	// other Conns, and may use op again at once; it must not call Close.
	Complete(op *Op, r Result)
}

// A Result is how an operation ended.
type Result struct {
	// Err is nil when the node answered, whatever it answered. Else it is one of
	// ErrBroken, ErrExpired, ErrDown, ErrClosed and ErrMalformed, and the fields from Status to
	// Seen are zero.
	Err error

	// Status to Seen are the node's answer; see storagepb.Answer.
	Status storagepb.Status
	Detail string
	State  vclock.State
	Digest uint64
	Live   bool
	Seen   bool

	// Handed reports whether the operation was handed to the stream. If it was and
	// there is no answer, it may have been applied, or may yet be.
	Handed bool

	// Amnesiac reports that the store that answered is not the accepted one: what it holds, and
	// what it does not hold, counts for no quorum.
	Amnesiac bool

	// Latency is the time from Send to the answer, or to the failure.
	Latency time.Duration
}

// A place is where an Op is.
type place uint8

const (
	nowhere place = iota // with the caller
	waiting              // for room
	queued               // for the stream
	handed               // to the stream
)

// An opList is a doubly linked list through the Ops themselves, so that nothing is
// allocated and an Op leaves from the middle in constant time.
type opList struct {
	head, tail *Op
	n          int
}

func (l *opList) push(op *Op) {
	op.prev, op.next = l.tail, nil
	if l.tail == nil {
		l.head = op
	} else {
		l.tail.next = op
	}
	l.tail = op
	l.n++
}

func (l *opList) remove(op *Op) {
	if op.prev == nil {
		l.head = op.next
	} else {
		op.prev.next = op.next
	}
	if op.next == nil {
		l.tail = op.prev
	} else {
		op.next.prev = op.prev
	}
	op.prev, op.next = nil, nil
	l.n--
}
