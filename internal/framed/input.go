package framed

import (
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// An idle connection keeps little, since a client has two to every node; a busy one
	// takes in with one call what has come together.
	firstBuffer = 4 << 10
	mostBuffer  = 256 << 10
)

// An input cuts what a connection brings into frames.
type input struct {
	from  net.Conn
	start time.Time
	heard atomic.Int64 // when a read last brought something, in nanoseconds from start

	buf        []byte
	begin, end int    // of what is in buf and was not taken
	brimmed    bool   // the last read could have brought more
	large      []byte // a frame that does not fit
}

// frame returns the next frame. Its body lies in the input's memory, until the next call.
func (in *input) frame() (kind byte, body []byte, err error) {
	in.large = nil
	header, err := in.take(HeaderBytes)
	if err != nil {
		return 0, nil, err
	}
	kind = header[0]
	n := binary.BigEndian.Uint32(header[1:])
	switch {
	case n > MaxFrameBytes:
		return 0, nil, status.Errorf(codes.ResourceExhausted, "a frame has at most %d bytes, not %d", MaxFrameBytes, n)
	case n <= mostBuffer:
		body, err = in.take(int(n))
	default:
		body, err = in.takeLarge(int(n))
	}
	if err == io.EOF { //nolint:errorlint // a reader's io.EOF is bare
		err = io.ErrUnexpectedEOF
	}
	return kind, body, err
}

// holdsMessage reports whether the next frame is a message, and in the buffer.
func (in *input) holdsMessage() bool {
	held := in.buf[in.begin:in.end]
	return len(held) >= HeaderBytes && held[0] == message && uint32(len(held)-HeaderBytes) >= binary.BigEndian.Uint32(held[1:])
}

// take returns the next n bytes, at most mostBuffer.
func (in *input) take(n int) ([]byte, error) {
	for in.end-in.begin < n {
		if err := in.fill(n); err != nil {
			return nil, err
		}
	}
	b := in.buf[in.begin : in.begin+n : in.begin+n]
	in.begin += n
	return b, nil
}

// fill reads once, into a buffer that has room for n bytes from begin on.
func (in *input) fill(n int) error {
	if in.begin == in.end {
		in.begin, in.end = 0, 0
	}
	if in.brimmed || in.begin+n > len(in.buf) {
		in.makeRoom(n)
	}
	read, err := in.from.Read(in.buf[in.end:])
	in.end += read
	in.brimmed = in.end == len(in.buf)
	if read > 0 {
		in.hear()
		return nil // an error comes again
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	if err == io.EOF && in.begin < in.end { //nolint:errorlint // a reader's io.EOF is bare
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (in *input) hear() { in.heard.Store(int64(time.Since(in.start))) }

// silence is how long nothing has been heard.
func (in *input) silence() time.Duration {
	return time.Since(in.start) - time.Duration(in.heard.Load())
}

// makeRoom moves what is there to the buffer's beginning, and doubles a buffer that was filled.
func (in *input) makeRoom(n int) {
	size := max(len(in.buf), firstBuffer)
	for size < n {
		size *= 2
	}
	if in.brimmed && size == len(in.buf) {
		size = min(2*size, mostBuffer)
	}
	to := in.buf
	if size > len(in.buf) {
		to = make([]byte, size)
	}
	in.end = copy(to, in.buf[in.begin:in.end])
	in.buf, in.begin = to, 0
}

// takeLarge returns the next n bytes in memory of their own, which grows as they come.
func (in *input) takeLarge(n int) ([]byte, error) {
	b := append([]byte(nil), in.buf[in.begin:in.end]...)
	in.begin, in.end = 0, 0
	for len(b) < n {
		b = slices.Grow(b, min(n-len(b), max(len(b), mostBuffer)))
		read, err := in.from.Read(b[len(b):min(cap(b), n)])
		b = b[:len(b)+read]
		if read > 0 {
			in.hear()
		} else if err != nil {
			return nil, err
		}
	}
	in.large = b
	return b, nil
}

// Owned reports whether the message that Receive returned last is in memory of its own, which the caller may keep.
func (c *Conn) Owned() bool { return c.in.large != nil }
