package node

import (
	"sync"
	"sync/atomic"

	"github.com/devrev/pairdb/storagepb"
)

// A load is the work that the node has in hand, over all streams (invariant 8):
// operations, and the answers to them until they are sent.
type load struct {
	maxOps, maxBytes int

	mu       sync.Mutex // guards what follows
	ops      int
	bytes    atomic.Int64 // what depends on it is decided with mu held
	stopping bool
	idle     chan struct{} // closed when stopping and nothing is in hand
}

func newLoad(maxOps, maxBytes int) *load {
	return &load{maxOps: maxOps, maxBytes: maxBytes, idle: make(chan struct{})}
}

// take adds one operation, unless the status says why not.
func (l *load) take(bytes int) storagepb.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.stopping:
		return storagepb.Status_STOPPING
	case !l.fits(1, bytes):
		return storagepb.Status_OVERLOADED
	}
	l.ops++
	l.bytes.Add(int64(bytes))
	return storagepb.Status_OK
}

// takeAll adds the operations of a whole frame, if all of them fit. Otherwise it adds none, and they are to be taken one
// by one: each is refused for a reason of its own.
func (l *load) takeAll(ops, bytes int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping || !l.fits(ops, bytes) {
		return false
	}
	l.ops += ops
	l.bytes.Add(int64(bytes))
	return true
}

// fits is called with mu held.
func (l *load) fits(ops, bytes int) bool {
	return l.ops+ops <= l.maxOps && l.bytes.Load()+int64(bytes) <= int64(l.maxBytes)
}

// add counts an answer, which is made already.
func (l *load) add(bytes int) { l.bytes.Add(int64(bytes)) }

// full reports whether there is no room for the answer to a read. Streams that ask
// at once may each go past the bound by one answer.
func (l *load) full() bool { return l.bytes.Load() >= int64(l.maxBytes) }

// release takes off what was answered, or will never be.
func (l *load) release(ops, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ops -= ops
	l.bytes.Add(-int64(bytes))
	if l.stopping && l.ops == 0 {
		l.closeIdle()
	}
}

// stop refuses what comes and returns a channel that is closed when nothing is in hand.
func (l *load) stop() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping = true
	if l.ops == 0 {
		l.closeIdle()
	}
	return l.idle
}

// closeIdle is called with mu held.
func (l *load) closeIdle() {
	select {
	case <-l.idle:
	default:
		close(l.idle)
	}
}

func (l *load) inHand() (ops, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ops, int(l.bytes.Load())
}
