package wire

import (
	"sync"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // what Codec leaves to the generated code
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/framed"
)

// Codec is gRPC's codec for protobuf, but for frames of operations and answers, which it
// writes and reads without a message for each: the generated code takes an allocation for every
// operation, key, state, column, sibling and value, and goes through tables for each field. The bytes
// are the same.
//
// It is for both ends: grpc.ForceCodecV2, grpc.ForceServerCodecV2.
type Codec struct{}

// A Frame is a frame on its way out, as bytes: room for a header of framed.HeaderBytes, and what
// AppendOperation and AppendAnswer have appended. Marshalling takes them away.
type Frame struct {
	Bytes []byte
	home  *[]byte // the pool's
}

// NewFrame returns an empty frame.
func NewFrame() Frame {
	home := framePool{}.Get(framed.HeaderBytes)
	return Frame{Bytes: *home, home: home}
}

// MessageFrame returns a frame that is one whole message: of the handshake.
func MessageFrame(m proto.Message) (Frame, error) {
	f := NewFrame()
	b, err := proto.MarshalOptions{}.MarshalAppend(f.Bytes, m)
	if err != nil {
		return Frame{}, err
	}
	f.Bytes = b
	return f, nil
}

// Free gives the bytes back, for the next frame.
func (f *Frame) Free() {
	if f.home != nil {
		*f.home = f.Bytes
		framePool{}.Put(f.home)
		*f = Frame{}
	}
}

// An OperationsFrame is a ClientFrame that came in.
type OperationsFrame struct {
	Hello      []byte // nil where there is none
	Operations []Operation

	bytes []byte // with which the operations share their memory
	space space
}

// Read reads a frame from a copy of bytes, which is in memory that the next Read uses again, as it does
// all that the operations hold. A frame from the zero OperationsFrame may be kept.
func (f *OperationsFrame) Read(bytes []byte) (err error) {
	f.reset()
	f.bytes = append(f.bytes[:0], bytes...)
	return f.read(f.bytes)
}

// ReadIn is Read without the copy: bytes are the frame's from here on.
func (f *OperationsFrame) ReadIn(bytes []byte) error {
	f.reset()
	return f.read(bytes)
}

func (f *OperationsFrame) read(bytes []byte) (err error) {
	f.Operations, f.Hello, err = operations(bytes, f.Operations, &f.space)
	return err
}

func (f *OperationsFrame) reset() {
	if cap(f.bytes) > maxPooled {
		f.bytes = nil
	}
	Poison(f.bytes)
	clear(f.Operations)
	if f.space.slab == 0 {
		f.space.slab = slabItems
	}
	f.space.reset()
}

// An AnswersFrame is a ServerFrame that came in. The next Unmarshal uses Answers again.
type AnswersFrame struct {
	Welcome []byte
	Answers []Answer
}

// Name is that of the generated code's codec, since the bytes are.
func (Codec) Name() string { return "proto" }

func generated() encoding.CodecV2 { return encoding.GetCodecV2("proto") }

// Marshal implements encoding.CodecV2.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	f, ok := v.(*Frame)
	if !ok {
		return generated().Marshal(v)
	}
	home := f.home
	*home = f.Bytes[:copy(f.Bytes, f.Bytes[framed.HeaderBytes:])] // gRPC has a header of its own
	*f = Frame{}
	return mem.BufferSlice{mem.NewBuffer(home, framePool{})}, nil
}

// Unmarshal implements encoding.CodecV2.
func (Codec) Unmarshal(data mem.BufferSlice, v any) (err error) {
	switch f := v.(type) {
	case *OperationsFrame:
		return f.ReadIn(data.Materialize())
	case *AnswersFrame:
		buffer := data.MaterializeToBuffer(framePool{})
		defer buffer.Free()
		clear(f.Answers)
		f.Answers, f.Welcome, err = Answers(buffer.ReadOnlyData(), f.Answers)
		return err
	default:
		return generated().Unmarshal(data, v)
	}
}

// maxPooled keeps the buffer of one huge frame from staying for ever.
const maxPooled = 512 << 10

var frameBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// framePool gives buffers of frames back when gRPC has written them.
type framePool struct{}

// Get implements mem.BufferPool.
func (framePool) Get(n int) *[]byte {
	b := frameBuffers.Get().(*[]byte)
	if cap(*b) < n {
		*b = make([]byte, n)
	}
	*b = (*b)[:n]
	return b
}

// Put implements mem.BufferPool.
func (framePool) Put(b *[]byte) {
	if cap(*b) <= maxPooled {
		frameBuffers.Put(b)
	}
}
