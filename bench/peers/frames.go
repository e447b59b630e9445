package peers

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// The frames of floor-tcp, little endian. Each begins with the length of what follows it.
//
//	request  length 4, id 4, kind 1, length of the key 2, key, value
//	answer   length 4, id 4, found 1, value
const (
	lengthBytes  = 4
	requestBytes = 4 + 1 + 2
	answerBytes  = 4 + 1

	maxFrame = 2 << 20 // what is longer is no frame of ours

	readBuffer = 128 << 10 // a batch of a thousand small frames in one read
)

// The kinds of request.
const (
	kindPut byte = iota
	kindGet
)

func appendRequest(b []byte, kind byte, id uint32, key string, value []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(requestBytes+len(key)+len(value))) //nolint:gosec // both are bounded
	b = binary.LittleEndian.AppendUint32(b, id)
	b = append(b, kind)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(key))) //nolint:gosec // at most 1,024
	b = append(b, key...)
	return append(b, value...)
}

// appendAnswerHead is followed by n bytes of the value.
func appendAnswerHead(b []byte, id uint32, found bool, n int) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(answerBytes+n)) //nolint:gosec // a value's length
	b = binary.LittleEndian.AppendUint32(b, id)
	if found {
		return append(b, 1)
	}
	return append(b, 0)
}

func parseRequest(frame []byte) (kind byte, id uint32, key, value []byte, err error) {
	if len(frame) < requestBytes {
		return 0, 0, nil, nil, fmt.Errorf("%w: a request of %d bytes", ErrBroken, len(frame))
	}
	id, kind = binary.LittleEndian.Uint32(frame), frame[4]
	n := int(binary.LittleEndian.Uint16(frame[5:]))
	rest := frame[requestBytes:]
	if len(rest) < n {
		return 0, 0, nil, nil, fmt.Errorf("%w: a key of %d bytes in %d", ErrBroken, n, len(rest))
	}
	return kind, id, rest[:n], rest[n:], nil
}

func parseAnswer(frame []byte) (id uint32, found bool, value []byte, err error) {
	if len(frame) < answerBytes {
		return 0, false, nil, fmt.Errorf("%w: an answer of %d bytes", ErrBroken, len(frame))
	}
	return binary.LittleEndian.Uint32(frame), frame[4] != 0, frame[answerBytes:], nil
}

// A frameReader reads frames without copying the small ones.
type frameReader struct {
	in    *bufio.Reader
	held  int    // bytes of in that the last frame is
	large []byte // for one that does not fit into in
}

func newFrameReader(r io.Reader) *frameReader {
	return &frameReader{in: bufio.NewReaderSize(r, readBuffer)}
}

// next returns what follows the next length. It is good until the next call.
func (r *frameReader) next() ([]byte, error) {
	_, _ = r.in.Discard(r.held) // buffered, all of it
	r.held = 0
	head, err := r.in.Peek(lengthBytes)
	if err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head))
	if n > maxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes", ErrBroken, n)
	}
	if lengthBytes+n > r.in.Size() {
		_, _ = r.in.Discard(lengthBytes)
		if cap(r.large) < n {
			r.large = make([]byte, n)
		}
		_, err = io.ReadFull(r.in, r.large[:n])
		return r.large[:n], err
	}
	frame, err := r.in.Peek(lengthBytes + n)
	if err != nil {
		return nil, err
	}
	r.held = lengthBytes + n
	return frame[lengthBytes:], nil
}

// more says whether next would return at once: another whole frame has come already.
func (r *frameReader) more() bool {
	rest := r.in.Buffered() - r.held
	if rest < lengthBytes {
		return false
	}
	b, _ := r.in.Peek(r.held + lengthBytes) // buffered
	return rest >= lengthBytes+int(binary.LittleEndian.Uint32(b[r.held:]))
}
