package framed

import (
	"fmt"
	"sync"
	"time"
)

// A watch looks whether anything has been heard, when the peer has had its time.
type watch struct {
	mu      sync.Mutex // guards all
	timer   *time.Timer
	stopped bool
}

// Watch hangs up with ErrSilent on a peer that has said nothing for every, and then nothing for patience,
// after a ping if ping is set. The watch ends with the connection.
func (c *Conn) Watch(every, patience time.Duration, ping bool) {
	w := &c.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.timer = time.AfterFunc(every, func() { c.look(every, patience, ping) })
	}
}

func (c *Conn) look(every, patience time.Duration, ping bool) {
	silence := c.in.silence()
	switch {
	case silence < every:
		c.watch.next(every - silence)
	case silence < every+patience:
		c.watch.next(every + patience - silence)
		if ping { // last, since it may block
			c.ping(patience)
		}
	default:
		c.fail(fmt.Errorf("%w for %v", ErrSilent, silence))
	}
}

func (w *watch) next(in time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
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

// ping asks the peer for a sign. Where a frame is on its way out already, its answer will do.
func (c *Conn) ping(patience time.Duration) {
	if !c.writing.TryLock() {
		return
	}
	defer c.writing.Unlock()
	_ = c.raw.SetWriteDeadline(time.Now().Add(patience)) // the write fails, or looks late
	frame := make([]byte, HeaderBytes)
	putHeader(frame, ping)
	if c.writeLocked(frame) == nil {
		_ = c.raw.SetWriteDeadline(time.Time{})
	}
}
