package node

import (
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/devrev/pairdb/internal/wire"
)

const (
	// frameBytes bounds a frame of answers, so that a large value holds up the
	// small ones behind it for no longer than it takes alone.
	frameBytes = 256 << 10

	// sendPatience is how long one frame may wait for the client to read, before the
	// stream is ended: unread answers take up the node's bound for everybody.
	sendPatience = 10 * time.Second
)

// send sends what is in the outbox until there is a reason to end, which it returns.
func (x *exchange) send() error {
	for {
		replies, err := x.next()
		if failed := x.sendAll(replies); failed != nil {
			return failed
		}
		if err != nil {
			return ended(err)
		}
	}
}

// sendMine sends what the receiver's frames have put into the outbox, unless the sender is at it.
func (x *exchange) sendMine() error {
	x.mu.Lock()
	x.running = false
	x.long.end()
	if x.sending || x.over || len(x.outbox) == 0 || x.server.ctx.Err() != nil {
		x.tellSender()
		x.mu.Unlock()
		return nil
	}
	replies := x.outbox
	x.outbox, x.sending = nil, true
	x.mu.Unlock()
	return x.sendAll(replies)
}

// sendAll sends replies, as the one that does.
func (x *exchange) sendAll(replies []reply) error {
	var failed error
	for len(replies) > 0 && failed == nil {
		n := fitting(replies)
		failed = x.sendFrame(replies[:n])
		x.release(replies[:n])
		replies = replies[n:]
	}
	x.release(replies)
	x.mu.Lock()
	x.sending = false
	if failed != nil && x.broken == nil {
		x.broken = failed
	}
	x.tellSender()
	x.mu.Unlock()
	return failed
}

// tellSender wakes the sender if there is something for it. mu is held.
func (x *exchange) tellSender() {
	if !x.running && !x.sending && (len(x.outbox) > 0 || x.broken != nil || x.ctx.Err() != nil) {
		x.leaving.Signal()
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
		for (x.running || x.sending) && x.ctx.Err() == nil || x.sending {
			x.leaving.Wait()
		}
		replies := x.outbox
		x.outbox, x.sending = nil, true
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
		x.sending = false
		x.leaving.Wait()
	}
}

// abandon puts replies back for finish to release; mu is held.
func (x *exchange) abandon(replies []reply) error {
	x.outbox = replies
	return x.broken
}

// fitting returns how many of the replies make the next frame, at least one.
func fitting(replies []reply) int {
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
	frame := wire.NewFrame()
	for i := range replies {
		frame.Bytes = wire.AppendAnswer(frame.Bytes, replies[i].answer)
	}
	x.patient.begin(time.Now())
	defer x.patient.end()
	return x.link.send(&frame)
}

// release takes replies, sent or given up, off all that is counted.
func (x *exchange) release(replies []reply) {
	if len(replies) == 0 {
		return
	}
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
	x.roomy.Broadcast()
	x.tellSender() // that may have been the last
	x.mu.Unlock()
	x.server.core.load.release(takenOps, takenBytes+answers)
	letGo(replies)
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

// letGo ends the holds of replies on their batches. Those of one are mostly together.
func letGo(replies []reply) {
	for len(replies) > 0 {
		held, n := replies[0].held, 1
		for n < len(replies) && replies[n].held == held {
			n++
		}
		clear(replies[:n])
		if held != nil {
			held.done(n)
		}
		replies = replies[n:]
	}
}
