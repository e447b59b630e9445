package node

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

const (
	// What one stream may have in hand before it is read no further: enough to keep
	// a disk busy while a group syncs, a small part of the node's own bound.
	streamOps   = 8192
	streamBytes = 32 << 20

	// maxFrameOps is more than a coordinator puts into one frame by far; an operation
	// of two bytes takes a hundred times as much in memory.
	maxFrameOps = 1 << 16

	// frameTime is what the receiver's frames may take before what is in the outbox leaves without it: a read that
	// waits for the disk must hold up no acknowledgement.
	frameTime = 2 * time.Millisecond

	// joinedAnswers is how many answers of small frames leave together. More gain little, and wait.
	joinedAnswers = 32
)

// An exchange is one stream. One goroutine receives and applies, and sends what may leave at once
// by itself: to wake another one for it costs more than the sending. One sends
// what had to wait for the disk, at the syncer, so that the next frame is applied while the
// one before is being synced.
type exchange struct {
	server *Server
	link   link
	ctx    context.Context // of the link and the server
	cut    context.CancelFunc

	stalled chan struct{} // closed when the client has not read for too long
	patient *alarm        // closes it; of a frame that is being sent
	long    *alarm        // lets the sender at the outbox; of the receiver's frames that are not answered

	mu       sync.Mutex // guards what follows
	roomy    *sync.Cond // ops, bytes or answers have fallen, or ctx has ended
	leaving  *sync.Cond // the sender has something to look at
	outbox   []reply    // may leave
	running  bool       // the receiver is at a frame, and sends what is in the outbox after it
	sending  bool       // by either
	ops      int        // received, not yet sent
	bytes    int        // of those
	answers  int        // bytes of answers made, not yet sent
	received bool       // nothing more will come, by the client's word
	broken   error      // the receiver's last error
	over     bool       // nothing will be sent any more
}

func newExchange(s *Server, l link) *exchange {
	x := &exchange{server: s, link: l, stalled: make(chan struct{})}
	x.patient = newAlarm(sendPatience, sync.OnceFunc(func() { close(x.stalled) }))
	x.roomy, x.leaving = sync.NewCond(&x.mu), sync.NewCond(&x.mu)
	x.ctx, x.cut = context.WithCancel(l.context())
	x.long = newAlarm(frameTime, x.slow)
	return x
}

// serve runs until the client is done, the stream breaks, or the server is cut.
func (x *exchange) serve() error {
	defer x.cut()
	stopServer := context.AfterFunc(x.server.ctx, x.cut)
	defer stopServer()
	stopWake := context.AfterFunc(x.ctx, x.wake)
	defer stopWake()
	defer x.patient.stop()
	defer x.long.stop()
	// Both end with the stream, whose context ends when serve returns: a Send that
	// waits for the client to read cannot be ended otherwise.
	x.server.spawn(x.receive)
	sent := make(chan error, 1)
	x.server.spawn(func() {
		err := x.send()
		x.finish()
		sent <- err
	})
	select {
	case err := <-sent:
		return err
	case <-x.stalled:
		return status.Errorf(codes.Aborted, "no answer could be sent for %v: read the stream", sendPatience)
	}
}

func (x *exchange) wake() {
	x.mu.Lock()
	x.roomy.Broadcast()
	x.leaving.Signal()
	x.mu.Unlock()
}

func (x *exchange) receive() {
	for {
		b := batches.Get().(*batch)
		err := x.link.receive(&b.frame)
		n := len(b.frame.Operations)
		if err == nil && n > maxFrameOps {
			err = status.Errorf(codes.InvalidArgument, "a frame has at most %d operations, not %d", maxFrameOps, n)
		}
		if err != nil {
			_ = x.sendMine() // of the frames before; err says more than that it failed
			x.ended(err)
			return
		}
		b.ops = slices.Grow(b.ops[:0], n)[:n]
		for i := range b.ops {
			b.ops[i] = &b.frame.Operations[i]
		}
		x.accept(b, time.Now())
		if x.link.waiting() && x.fewAnswers() {
			continue // one system call for the answers of both, for a coordinator that sends faster than this node takes
		}
		if x.sendMine() != nil {
			x.cut() // the sender tells why
			return
		}
	}
}

// fewAnswers reports whether the next frame's answers may leave with those that wait.
func (x *exchange) fewAnswers() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.running && len(x.outbox) < joinedAnswers && x.answers < frameBytes
}

// ended notes why nothing more will come.
func (x *exchange) ended(err error) {
	x.mu.Lock()
	x.received = errors.Is(err, io.EOF)
	x.broken = err
	x.leaving.Signal()
	x.mu.Unlock()
	if !errors.Is(err, io.EOF) {
		x.cut()
	}
}

// accept runs a frame's operations but for those that the node does not take.
func (x *exchange) accept(b *batch, received time.Time) {
	core := x.server.core
	held := b
	if core.config.Interceptor != nil || core.config.Audit != nil {
		held = nil // they may keep what they are shown
	}
	ops := b.ops
	if held != nil {
		b.hold(len(ops))
		defer b.done(1)
	}
	if bytes := x.admit(ops, received); !core.load.takeAll(len(ops), bytes) {
		ops = x.takeEach(ops, held)
	}
	if core.config.Interceptor == nil {
		core.runIn(b, held, ops, received, x)
		return
	}
	for _, op := range ops {
		x.server.spawn(func() { x.intercepted(op, received) })
	}
}

// takeEach refuses the operations that there is no room for, and returns the others.
func (x *exchange) takeEach(ops []*wire.Operation, held *batch) []*wire.Operation {
	core := x.server.core
	taken := ops[:0]
	var refused []reply
	for _, op := range ops {
		n := operationBytes(op)
		if status := core.load.take(n); status != storagepb.Status_OK {
			a := refuse(op.Id, status, "")
			core.counters.refused.Add(1)
			r := x.reply(a, false, n)
			r.held = held
			refused = append(refused, r)
			continue
		}
		taken = append(taken, op)
	}
	if len(refused) > 0 {
		x.put(refused)
	}
	return taken
}

// admit waits until the stream may have more in hand, counts ops, and returns their bytes.
func (x *exchange) admit(ops []*wire.Operation, received time.Time) (n int) {
	for _, op := range ops {
		n += operationBytes(op)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for (x.ops >= streamOps || x.bytes >= streamBytes) && x.ctx.Err() == nil {
		x.running = false // what the frames before have answered leaves
		x.tellSender()
		x.roomy.Wait()
	}
	x.ops += len(ops)
	x.bytes += n
	x.running = true
	x.long.begin(received)
	return n
}

func (x *exchange) room(op *wire.Operation, received time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.answers < streamBytes {
		return
	}
	if ms := op.TimeoutMs; ms != 0 {
		expiry := time.AfterFunc(time.Until(received.Add(time.Duration(ms)*time.Millisecond)), x.wake)
		defer expiry.Stop()
	}
	x.running = false // what is in the outbox is to make the room
	x.leaving.Signal()
	for x.answers >= streamBytes && x.ctx.Err() == nil && !expired(op, received) {
		x.roomy.Wait()
	}
}

func (x *exchange) made(bytes int) {
	x.mu.Lock()
	x.answers += bytes
	x.mu.Unlock()
	x.server.core.load.add(bytes)
}

func (x *exchange) reply(a *wire.Answer, taken bool, bytes int) reply {
	n := answerBytes(a)
	x.made(n)
	return reply{answer: a, made: n, taken: taken, bytes: bytes}
}

func (x *exchange) put(replies []reply) {
	x.mu.Lock()
	over := x.over
	if !over {
		if len(x.outbox) == 0 {
			x.outbox = replies
		} else {
			x.outbox = append(x.outbox, replies...)
		}
		x.tellSender()
	}
	x.mu.Unlock()
	if over {
		x.release(replies)
	}
}

// slow lets the sender at the outbox before the receiver's frame is done. If it comes late, what the next
// frame answers leaves as it is put.
func (x *exchange) slow() {
	x.mu.Lock()
	x.running = false
	x.tellSender()
	x.mu.Unlock()
}

// intercepted runs one operation past the interceptor.
func (x *exchange) intercepted(op *wire.Operation, received time.Time) {
	core := x.server.core
	interceptor := core.config.Interceptor
	id, n := op.Id, operationBytes(op)
	end := func(f Fault) {
		a := refuse(id, f.Status, f.Detail)
		r := x.reply(a, true, n)
		if f.Drop {
			x.release([]reply{r})
			return
		}
		x.put([]reply{r})
	}
	if f := interceptor.Before(x.ctx, op); f != (Fault{}) {
		end(f)
		return
	}
	answered := make(direct, 1)
	core.run([]*wire.Operation{op}, received, answered)
	answer := <-answered
	if f := interceptor.After(x.ctx, op, answer); f != (Fault{}) {
		end(f)
		return
	}
	x.put([]reply{x.reply(answer, true, n)})
}
