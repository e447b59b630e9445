package replica

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// A Conn is the connection to one node. All methods may be called from any number of
// goroutines.
type Conn struct {
	cfg   Config
	start time.Time

	epoch  atomic.Uint64
	status atomic.Pointer[status]
	reads  latencies
	counters

	ctx         context.Context // ends when Close cuts
	cut         context.CancelFunc
	goroutines  sync.WaitGroup
	changed     chan struct{} // of status, for run to tell
	sweepSooner chan struct{}
	drained     chan struct{} // closed when closing and empty

	mu          sync.Mutex // guards what follows, status (writes) and the Ops that are in the Conn
	closing     bool
	isDrained   bool
	link        *link  // nil unless Up
	down        error  // what Send returns when Down
	store       uint64 // accepted; 0 is not known yet
	small, bulk lane
	handed      opList // oldest first
	slots       slots
	owedSince   int64 // handing over of the oldest operation that expired since the node was heard; 0 is none
	sweepAt     int64 // when the sweeper wakes
	swept       int64 // when it last did
	wheel       *wheel
}

// New returns a Conn and starts connecting in the background. The caller has to Close it.
func New(cfg Config) *Conn {
	cfg.setDefaults()
	c := &Conn{
		cfg:         cfg,
		start:       time.Now(),
		changed:     make(chan struct{}, 1),
		sweepSooner: make(chan struct{}, 1),
		drained:     make(chan struct{}),
		store:       cfg.StoreID,
		sweepAt:     never,
		wheel:       new(wheel),
	}
	c.ctx, c.cut = context.WithCancel(context.Background())
	c.epoch.Store(cfg.Epoch)
	c.status.Store(&status{since: c.start})
	c.small.init(&c.mu, cfg.MaxInFlight, cfg.MaxInFlightBytes/2)
	c.bulk.init(&c.mu, cfg.MaxInFlight, cfg.MaxInFlightBytes/2)
	c.goroutines.Go(c.sweep)
	c.goroutines.Go(c.run)
	return c
}

// Send takes op, to be handed to the node, and never blocks. If it returns nil, the
// outcome goes to op.Handler, exactly once, later and from another goroutine. If it
// returns an error, op was not taken, nothing was sent and the handler is not called:
// ErrDown (with the cause), ErrClosed, ErrInvalid, or ErrOverloaded where 4,096 operations wait for room
// already; a background operation does not wait at all.
func (c *Conn) Send(op *Op) error { return c.SendAt(op, time.Now()) }

// SendAt is Send for who has read the clock, once for several nodes. From now the operation's latency counts.
func (c *Conn) SendAt(op *Op, now time.Time) error {
	size := op.estimate()
	if size > MaxOpBytes || !utf8.ValidString(op.Tenant) {
		c.refused.Add(1)
		return ErrInvalid
	}
	ln := &c.small
	if size > bulkBytes {
		ln = &c.bulk
	}
	epoch := op.Epoch
	if epoch == 0 {
		epoch = c.epoch.Load()
	}
	accepted, deadline := c.at(now), c.at(op.Deadline)

	c.mu.Lock()
	if err := c.refusal(op, ln, size); err != nil {
		c.mu.Unlock()
		c.refused.Add(1)
		return err
	}
	op.conn, op.lane, op.size = c, ln, size
	op.epoch, op.accepted, op.deadline = epoch, accepted, deadline
	if ln.full(size) {
		ln.wait(op)
	} else {
		ln.enqueue(op)
	}
	sooner := c.sweepBy(deadline)
	c.settle()
	c.mu.Unlock()
	if sooner {
		c.wakeSweeper()
	}
	return nil
}

func (c *Conn) refusal(op *Op, ln *lane, size int) error {
	switch {
	case c.closing:
		return ErrClosed
	case c.down != nil:
		return c.down
	case ln.crowded(), op.Background && ln.full(size):
		return ErrOverloaded
	}
	return nil
}

// Withdraw takes op back. True: it was not handed to the stream and never will be,
// and the handler is not called. False: it was handed over, or the handler was or
// is being called, or op is not in this Conn. The caller sees to it that op is
// not sent to another Conn meanwhile.
func (c *Conn) Withdraw(op *Op) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if op.conn != c || op.place != queued && op.place != waiting {
		return false
	}
	ln := op.lane
	c.takeOut(op)
	ln.admit()
	c.settle()
	return true
}

// SetEpoch sets the epoch for operations sent from here on that bring none of
// their own, and for handshakes.
func (c *Conn) SetEpoch(epoch uint64) { c.epoch.Store(epoch) }

// AcceptStore declares id to be the store that the node is known to have. 0 changes nothing.
func (c *Conn) AcceptStore(id uint64) {
	if id == 0 {
		return
	}
	c.mu.Lock()
	c.store = id
	if s := *c.status.Load(); s.storeID != 0 {
		s.amnesiac = s.storeID != id
		c.status.Store(&s)
	}
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// AcceptedStore returns the store id that the node is held to have: Config's, AcceptStore's,
// or the first that was seen; 0 if none is known yet.
func (c *Conn) AcceptedStore() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.store
}

// Shorten brings op's deadline forward to t. Without effect if op has an earlier
// one, or is no longer in this Conn.
func (c *Conn) Shorten(op *Op, t time.Time) {
	deadline := c.at(t)
	c.mu.Lock()
	sooner := false
	if op.conn == c && deadline < op.deadline {
		filed := op.filed
		c.unfile(op)
		op.deadline = deadline
		if filed { // else the next sweep sees it among those that have come
			c.file(op)
		}
		sooner = c.sweepBy(deadline)
	}
	c.mu.Unlock()
	if sooner {
		c.wakeSweeper()
	}
}

// Close refuses new operations, waits until those in hand are answered or ctx ends,
// then cuts the connection: what is left completes with ErrClosed. It returns when
// every goroutine of the Conn has ended, with ctx's error if it cut anything.
// It may be called any number of times.
func (c *Conn) Close(ctx context.Context) error {
	c.mu.Lock()
	c.closing = true
	c.settle()
	c.mu.Unlock()
	var err error
	select {
	case <-c.drained:
	default:
		select {
		case <-c.drained:
		case <-ctx.Done():
			err = &nodeError{string(c.cfg.Node), c.cfg.Addr, ErrClosed, context.Cause(ctx)}
		}
	}
	c.cut()
	c.goroutines.Wait()
	return err
}

// takeOut removes op from wherever it is in the Conn: the caller owns it from here on.
// It is followed by admit and settle.
func (c *Conn) takeOut(op *Op) {
	switch op.place {
	case waiting:
		op.lane.waiters.remove(op)
	case queued:
		op.lane.queue.remove(op)
		op.lane.release(op)
	case handed:
		c.handed.remove(op)
		c.slots.drop(op)
		op.lane.pressure.served++
		op.lane.release(op)
	}
	if op.filed {
		c.unfile(op)
	}
	op.place, op.conn, op.lane = nowhere, nil, nil
}

// lists are all places where an operation can be.
func (c *Conn) lists() [5]*opList {
	return [...]*opList{&c.handed, &c.small.queue, &c.bulk.queue, &c.small.waiters, &c.bulk.waiters}
}

// settle ends each critical section that added or removed operations: it publishes
// what Health shows without a lock, and lets Close go on when the last one has left.
func (c *Conn) settle() {
	inFlight, waiting := c.small.ops+c.bulk.ops, c.small.waiters.n+c.bulk.waiters.n
	publish(&c.inFlight, int64(inFlight))
	publish(&c.waiting, int64(waiting))
	c.gauge(&c.small)
	c.gauge(&c.bulk)
	oldest := c.owedSince
	if op := c.handed.head; op != nil && (oldest == 0 || op.handed < oldest) {
		oldest = op.handed
	}
	publish(&c.oldest, oldest)
	if c.closing && !c.isDrained && inFlight+waiting == 0 {
		c.isDrained = true
		close(c.drained)
	}
}

// publish spares itself a store, which costs as much as a lock, where nothing has changed. Only
// who holds mu stores.
func publish(to *atomic.Int64, v int64) {
	if to.Load() != v {
		to.Store(v)
	}
}

// now is the time since New in nanoseconds, by the monotonic clock. It is never 0.
func (c *Conn) now() int64 { return int64(time.Since(c.start)) + 1 }

// at is t as now would have it; never for the zero Time.
func (c *Conn) at(t time.Time) int64 {
	d := t.Sub(c.start)
	if t.IsZero() || d == math.MaxInt64 {
		return never
	}
	return int64(d) + 1
}
