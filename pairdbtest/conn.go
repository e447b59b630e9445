package pairdbtest

import (
	"net"
	"os"
	"sync"
	"time"
)

// A conn is one end of a connection whose bytes pass gates. A shut gate holds
// them back, the end of the connection included, and loses none: as TCP does over
// a network that drops packets for a while.
//
// One goroutine reads and one writes at a time.
type conn struct {
	net.Conn
	reads, writes []*gate
	gone          func(*conn) // called once, by Close

	closing sync.Once
	closed  chan struct{}
	readBy  deadline
	writeBy deadline

	// What was read and not handed on, since the deadline came first.
	pending []byte
	failed  error
}

func newConn(raw net.Conn, reads, writes []*gate, gone func(*conn)) *conn {
	return &conn{
		Conn: raw, reads: reads, writes: writes, gone: gone,
		closed: make(chan struct{}),
	}
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.pending) == 0 && c.failed == nil {
		n, err := c.Conn.Read(p)
		if passed := c.pass(c.reads, &c.readBy); passed != nil {
			c.pending, c.failed = append(c.pending, p[:n]...), err
			return 0, passed
		}
		return n, err
	}
	if err := c.pass(c.reads, &c.readBy); err != nil {
		return 0, err
	}
	if len(c.pending) == 0 {
		return 0, c.failed
	}
	n := copy(p, c.pending)
	c.pending = c.pending[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.pass(c.writes, &c.writeBy); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

func (c *conn) pass(gates []*gate, by *deadline) error {
	for _, g := range gates {
		if g.pass(c.closed, by.over()) {
			continue
		}
		select {
		case <-c.closed:
			return net.ErrClosed
		default:
			return os.ErrDeadlineExceeded
		}
	}
	return nil
}

// Close ends the connection: what the other end has not read yet it still can.
func (c *conn) Close() error {
	c.closing.Do(func() {
		close(c.closed)
		c.gone(c)
	})
	return c.Conn.Close()
}

func (c *conn) SetDeadline(t time.Time) error {
	c.readBy.set(t)
	c.writeBy.set(t)
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.readBy.set(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeBy.set(t)
	return c.Conn.SetWriteDeadline(t)
}

// A deadline is a channel that closes at a time that may be moved.
type deadline struct {
	mu    sync.Mutex // guards all
	moves int
	timer *time.Timer
	past  chan struct{}
	fired bool
}

func (d *deadline) over() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.channel()
}

// channel is called with mu held.
func (d *deadline) channel() chan struct{} {
	if d.past == nil {
		d.past = make(chan struct{})
	}
	return d.past
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.moves++
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.fired {
		d.past, d.fired = nil, false
	}
	if t.IsZero() {
		return
	}
	current := d.moves
	d.timer = time.AfterFunc(max(time.Until(t), 1), func() { // one that fires at once: see package memnet
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.moves == current && !d.fired {
			d.fired = true
			close(d.channel())
		}
	})
}
