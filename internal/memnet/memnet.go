// Package memnet is a network in memory: listeners and buffered connections that
// work inside testing/synctest bubbles, under the race detector too.
//
// It is here because bufconn starts timers that fire at once, of which two at one
// moment in a bubble end a process that was built with -race (Go 1.26).
package memnet

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// A Listener hands out the far ends of the connections that are dialled to it.
type Listener struct {
	size   int
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen returns a Listener whose connections hold size bytes, at least 1, in each direction
// before a writer waits.
func Listen(size int) *Listener {
	return &Listener{size: size, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. Connections stay open.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return addr{} }

// DialContext returns the near end of a connection, once the far end is accepted.
func (l *Listener) DialContext(ctx context.Context) (net.Conn, error) {
	there, back := newHalf(l.size), newHalf(l.size)
	select {
	case l.conns <- &conn{in: there, out: back}:
		return &conn{in: back, out: there}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A conn is one end of a connection.
type conn struct{ in, out *half }

func (c *conn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close ends both directions. What was written before can still be read.
func (c *conn) Close() error {
	c.out.end(io.EOF, io.ErrClosedPipe)
	c.in.end(io.ErrClosedPipe, io.ErrClosedPipe)
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return addr{} }
func (c *conn) RemoteAddr() net.Addr { return addr{} }

func (c *conn) SetDeadline(t time.Time) error {
	c.in.readBy.set(c.in, t)
	c.out.writeBy.set(c.out, t)
	return nil
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.readBy.set(c.in, t)
	return nil
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy.set(c.out, t)
	return nil
}

// A half is one direction of a connection.
type half struct {
	size int

	mu      sync.Mutex // guards what follows
	changed *sync.Cond
	buf     []byte
	ended   error // what reads return when buf is empty; nil while open
	refused error // what writes return; nil while open
	readBy  deadline
	writeBy deadline
}

func newHalf(size int) *half {
	h := &half{size: max(size, 1)}
	h.changed = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readBy.passed:
			return 0, os.ErrDeadlineExceeded
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			h.changed.Broadcast()
			return n, nil
		case h.ended != nil:
			return 0, h.ended
		}
		h.changed.Wait()
	}
}

func (h *half) write(p []byte) (written int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.refused != nil:
			return written, h.refused
		case h.writeBy.passed:
			return written, os.ErrDeadlineExceeded
		case len(p) == 0:
			return written, nil
		}
		if n := min(len(p), h.size-len(h.buf)); n > 0 {
			h.buf = append(h.buf, p[:n]...)
			p, written = p[n:], written+n
			h.changed.Broadcast()
			continue
		}
		h.changed.Wait()
	}
}

// end is called by either side; the first says what reads return.
func (h *half) end(reads, writes error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended == nil {
		h.ended = reads
	}
	h.refused = writes
	h.readBy.stop()
	h.writeBy.stop()
	h.changed.Broadcast()
}

// A deadline is guarded by the mutex of its half.
type deadline struct {
	passed bool
	moves  int
	timer  *time.Timer
}

func (d *deadline) stop() {
	d.moves++
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) set(h *half, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d.stop()
	left := time.Until(t)
	d.passed = !t.IsZero() && left <= 0
	if d.passed {
		h.changed.Broadcast()
	}
	if t.IsZero() || left <= 0 || h.refused != nil {
		return
	}
	current := d.moves
	d.timer = time.AfterFunc(left, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if d.moves == current {
			d.passed = true
			h.changed.Broadcast()
		}
	})
}

type addr struct{}

func (addr) Network() string { return "memory" }
func (addr) String() string  { return "memory" }
