package node

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/devrev/pairdb/storagepb"
)

const (
	// What one stream may have in hand before it is read no further: enough to keep
	// a disk busy while a group syncs, a small part of the node's own bound.
	streamOps   = 8192
	streamBytes = 32 << 20

	// frameBytes bounds a frame of answers, so that a large value holds up the
	// small ones behind it for no longer than it takes alone.
	frameBytes = 256 << 10
)

// An exchange is one stream. One goroutine receives and applies, one sends; what
// waits for the disk waits at the syncer, so the next frame is applied while the
// one before is being synced.
type exchange struct {
	server *Server
	stream storagepb.Storage_ExchangeServer
	ctx    context.Context // of the stream and the server
	cut    context.CancelFunc

	mu       sync.Mutex // guards what follows
	changed  *sync.Cond // some of it has changed, or ctx has ended
	outbox   []reply    // may leave
	ops      int        // received, not yet sent
	bytes    int        // of those
	answers  int        // bytes of answers made, not yet sent
	received bool       // nothing more will come, by the client's word
	broken   error      // the receiver's last error
	over     bool       // nothing will be sent any more
}

func newExchange(s *Server, stream storagepb.Storage_ExchangeServer) *exchange {
	x := &exchange{server: s, stream: stream}
	x.changed = sync.NewCond(&x.mu)
	x.ctx, x.cut = context.WithCancel(stream.Context())
	return x
}

// serve runs until the client is done, the stream breaks, or the server is cut.
func (x *exchange) serve() error {
	defer x.cut()
	stopServer := context.AfterFunc(x.server.ctx, x.cut)
	defer stopServer()
	stopWake := context.AfterFunc(x.ctx, x.wake)
	defer stopWake()
	x.server.spawn(x.receive) // ends with the stream, whose context ends when serve returns
	err := x.send()
	x.finish()
	return err
}

func (x *exchange) wake() {
	x.mu.Lock()
	x.changed.Broadcast()
	x.mu.Unlock()
}

func (x *exchange) receive() {
	for {
		frame, err := x.stream.Recv()
		if err != nil {
			x.mu.Lock()
			x.received = errors.Is(err, io.EOF)
			x.broken = err
			x.changed.Broadcast()
			x.mu.Unlock()
			return
		}
		x.accept(frame.GetOperations(), time.Now())
	}
}

// accept runs a frame's operations but for those that the node does not take.
func (x *exchange) accept(ops []*storagepb.Operation, received time.Time) {
	x.admit(ops)
	taken := ops[:0]
	var refused []reply
	for _, op := range ops {
		n := operationBytes(op)
		if status := x.server.core.load.take(n); status != storagepb.Status_OK {
			a := refuse(op.GetId(), status, "")
			x.server.core.counters.count(a, false)
			refused = append(refused, x.reply(a, false, n))
			continue
		}
		taken = append(taken, op)
	}
	if len(refused) > 0 {
		x.put(refused)
	}
	if x.server.core.config.Interceptor == nil {
		x.server.core.run(taken, received, x)
		return
	}
	for _, op := range taken {
		x.server.spawn(func() { x.intercepted(op, received) })
	}
}

// admit waits until the stream may have more in hand, and counts ops.
func (x *exchange) admit(ops []*storagepb.Operation) {
	n := 0
	for _, op := range ops {
		n += operationBytes(op)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for (x.ops >= streamOps || x.bytes >= streamBytes) && x.ctx.Err() == nil {
		x.changed.Wait()
	}
	x.ops += len(ops)
	x.bytes += n
}

func (x *exchange) room() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.answers >= streamBytes && x.ctx.Err() == nil {
		x.changed.Wait()
	}
}

func (x *exchange) made(bytes int) {
	x.mu.Lock()
	x.answers += bytes
	x.mu.Unlock()
}

func (x *exchange) reply(a *storagepb.Answer, taken bool, bytes int) reply {
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
		x.changed.Broadcast()
	}
	x.mu.Unlock()
	if over {
		x.release(replies)
	}
}

// send sends what is in the outbox until there is a reason to end, which it returns.
func (x *exchange) send() error {
	for {
		replies, err := x.next()
		for len(replies) > 0 {
			n := batch(replies)
			if failed := x.sendFrame(replies[:n]); failed != nil {
				x.release(replies)
				return failed
			}
			x.release(replies[:n])
			replies = replies[n:]
		}
		if err != nil {
			return ended(err)
		}
	}
}

var errDone = errors.New("done")

func ended(err error) error {
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// next waits for replies. With an error, they are the last.
func (x *exchange) next() ([]reply, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		replies := x.outbox
		x.outbox = nil
		switch {
		case x.server.ctx.Err() != nil:
			return replies, status.Error(codes.Unavailable, "the node is stopping")
		case x.broken != nil && !x.received:
			return nil, x.abandon(replies)
		case x.received && x.ops == len(replies):
			return replies, errDone
		case len(replies) > 0:
			return replies, nil
		case x.ctx.Err() != nil:
			return nil, status.FromContextError(x.ctx.Err()).Err()
		}
		x.changed.Wait()
	}
}

// abandon puts replies back for finish to release; mu is held.
func (x *exchange) abandon(replies []reply) error {
	x.outbox = replies
	return x.broken
}

// batch returns how many of the replies make the next frame, at least one.
func batch(replies []reply) int {
	bytes := 0
	for i := range replies {
		bytes += answerBytes(replies[i].answer)
		if bytes > frameBytes && i > 0 {
			return i
		}
	}
	return len(replies)
}

func (x *exchange) sendFrame(replies []reply) error {
	frame := &storagepb.ServerFrame{Answers: make([]*storagepb.Answer, len(replies))}
	for i := range replies {
		frame.Answers[i] = replies[i].answer
	}
	return x.stream.Send(frame)
}

// release takes replies, sent or given up, off all that is counted.
func (x *exchange) release(replies []reply) {
	var takenOps, takenBytes, bytes, answers int
	for _, r := range replies {
		bytes += r.bytes
		answers += r.made
		if r.taken {
			takenOps++
			takenBytes += r.bytes
		}
	}
	x.mu.Lock()
	x.ops -= len(replies)
	x.bytes -= bytes
	x.answers -= answers
	x.changed.Broadcast()
	x.mu.Unlock()
	x.server.core.load.release(takenOps, takenBytes)
}

// finish gives up what can no longer be sent.
func (x *exchange) finish() {
	x.mu.Lock()
	x.over = true
	left := x.outbox
	x.outbox = nil
	x.mu.Unlock()
	x.release(left)
}

// intercepted runs one operation past the interceptor.
func (x *exchange) intercepted(op *storagepb.Operation, received time.Time) {
	core := x.server.core
	interceptor := core.config.Interceptor
	id, n := op.GetId(), operationBytes(op)
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
	core.run([]*storagepb.Operation{op}, received, answered)
	answer := <-answered
	if f := interceptor.After(x.ctx, op, answer); f != (Fault{}) {
		end(f)
		return
	}
	x.put([]reply{x.reply(answer, true, n)})
}
