package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// A slowConn delivers what the other side sends a fixed time after it has come, and passes on what is sent to it at
// once. Chunks that come together are late together: it is a long way, not a narrow one.
type slowConn struct {
	net.Conn
	delay  time.Duration
	chunks chan chunk // in the order in which they came; what has no room waits in the socket
	rest   []byte     // of the chunk that Read is at
	err    error      // that follows it

	closing chan struct{}
	close   sync.Once
}

// A chunk is what one read brought.
type chunk struct {
	data []byte
	err  error
	due  time.Time
}

// The bounds of what a slowConn holds: 128 MiB at the most, and as a rule what comes within the delay.
const (
	slowChunk  = 32 << 10
	slowChunks = 4096
)

// slowDialer returns a dialer whose connections to one address are slow.
func slowDialer(slow string, delay time.Duration) func(ctx context.Context, addr string) (net.Conn, error) {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil || addr != slow {
			return c, err
		}
		return newSlowConn(c, delay), nil
	}
}

func newSlowConn(c net.Conn, delay time.Duration) *slowConn {
	s := &slowConn{Conn: c, delay: delay, chunks: make(chan chunk, slowChunks), closing: make(chan struct{})}
	go s.receive() // until the connection ends, or is closed
	return s
}

func (s *slowConn) receive() {
	buf := make([]byte, slowChunk)
	for {
		n, err := s.Conn.Read(buf)
		c := chunk{data: append([]byte(nil), buf[:n]...), err: err, due: time.Now().Add(s.delay)}
		select {
		case s.chunks <- c:
		case <-s.closing:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read implements net.Conn, but for deadlines: who reads with one has to close.
func (s *slowConn) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		select {
		case c := <-s.chunks:
			if !s.until(c.due) {
				return 0, net.ErrClosed
			}
			s.rest, s.err = c.data, c.err
		case <-s.closing:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// until waits for a time; false if the connection was closed.
func (s *slowConn) until(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closing:
		return false
	}
}

// Close implements net.Conn. What has not been read is lost.
func (s *slowConn) Close() error {
	s.close.Do(func() { close(s.closing) })
	return s.Conn.Close()
}
