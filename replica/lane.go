package replica

import "sync"

// A lane is one of the two ways to a node, each a stream with a writer and a reader of its own: one for
// small operations and one for bulk, so that a key does not wait behind a
// megabyte. All is guarded by the Conn's mutex.
type lane struct {
	maxOps, maxBytes int

	queue   opList // for the stream
	waiters opList // for room
	ops     int    // queued or handed
	bytes   int

	ready *sync.Cond // the queue is not empty, or the link is another

	pressure pressure
}

func (l *lane) init(mu *sync.Mutex, maxOps, maxBytes int) {
	l.maxOps, l.maxBytes = maxOps, maxBytes
	l.ready = sync.NewCond(mu)
}

// room reports whether an operation of that size may be queued. One
// always may when there is no other.
func (l *lane) room(size int) bool {
	return l.ops == 0 || l.ops < l.maxOps && l.bytes+size <= l.maxBytes
}

// maxWaiting bounds the operations that wait for room; past it Send refuses. With the default bound in flight, it
// is a tenth of a second for a node that does 80,000 a second. Callers ask Admit before.
const maxWaiting = 4096

// crowded reports whether too many wait already.
func (l *lane) crowded() bool { return l.waiters.n >= maxWaiting }

// full reports whether the next operation has to wait: also behind those that wait
// already, so that nobody is overtaken.
func (l *lane) full(size int) bool { return l.waiters.n > 0 || !l.room(size) }

func (l *lane) enqueue(op *Op) {
	op.place = queued
	l.ops++
	l.bytes += op.size
	l.queue.push(op)
	if l.queue.n == 1 {
		l.ready.Signal()
	}
}

func (l *lane) wait(op *Op) {
	op.place = waiting
	l.waiters.push(op)
}

// release gives back the room of an operation that was queued or handed.
func (l *lane) release(op *Op) {
	l.ops--
	l.bytes -= op.size
}

// admit queues waiters, first come first served, while there is room.
func (l *lane) admit() {
	for op := l.waiters.head; op != nil && l.room(op.size); op = l.waiters.head {
		l.waiters.remove(op)
		l.enqueue(op)
	}
}
