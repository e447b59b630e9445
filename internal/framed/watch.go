package framed

import (
	"fmt"
	"sync"
	"time"
)

// aliveEvery is how often a peer hears that we are at work with its message, which is well within the time after
// which it would ask, and be left without an answer.
const aliveEvery = 5 * time.Second

// A watch looks whether anything has been heard, when the peer has had its time.
type watch struct {
	mu      sync.Mutex // guards all
	timer   *time.Timer
	stopped bool
	asked   bool
	heard   int64 // the last that was heard when the peer was asked
}

// Watch hangs up with ErrSilent on a peer that has said nothing for every, and then nothing for patience,
// after a ping if asks is set. While nobody receives, what the peer says is unread: then it is told that this side
// is there. The watch ends with the connection.
func (c *Conn) Watch(every, patience time.Duration, asks bool) {
	w := &c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.timer = time.AfterFunc(min(every, aliveEvery), func() { c.look(every, patience, asks) })
	}
}

func (c *Conn) look(every, patience time.Duration, asks bool) {
	heard, silence := c.in.heard.Load(), c.in.silence()
	if !c.receiving.Load() && c.writing.TryLock() { // else the peer takes nothing, or hears of us anyway
		defer c.writing.Unlock()
		c.watch.next(min(every, aliveEvery), false, heard)
		_ = c.writeLocked(emptyFrame(ping)) // last, since it may block; End's deadline is left alone
		return
	}
	switch {
	case silence < every:
		c.watch.next(min(every-silence, aliveEvery), false, heard)
	case !c.watch.wasAsked(heard): // also if this process was stopped meanwhile, and the answer is there unread
		c.watch.next(patience, true, heard)
		if asks { // last, since it may block
			c.ask(patience)
		}
	default:
		c.fail(fmt.Errorf("%w for %v", ErrSilent, silence))
	}
}

// wasAsked reports whether the peer was asked since that was heard.
func (w *watch) wasAsked(heard int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked && w.heard == heard
}

func (w *watch) next(in time.Duration, asked bool, heard int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.heard = asked, heard
	if !w.stopped {
		w.timer.Reset(in)
	}
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// ask pings the peer. Where a frame is on its way out already, its answer will do.
func (c *Conn) ask(patience time.Duration) {
	if !c.writing.TryLock() {
		return
	}
	defer c.writing.Unlock()
	_ = c.raw.SetWriteDeadline(time.Now().Add(patience)) // the write fails, or looks late
	if c.writeLocked(emptyFrame(ping)) == nil {
		_ = c.raw.SetWriteDeadline(time.Time{})
	}
}

func emptyFrame(kind byte) []byte {
	frame := make([]byte, HeaderBytes)
	putHeader(frame, kind)
	return frame
}
