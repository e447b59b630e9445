package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// ErrMalformed says that bytes are no frame.
var ErrMalformed = errors.New("malformed frame")

// Operations reads the operations of a ClientFrame into ops, from its beginning, and
// returns them, and the frame's hello, if it has one, as bytes. Tenants, keys and values share
// memory with frame, which must never change again.
func Operations(frame []byte, ops []Operation) (_ []Operation, hello []byte, err error) {
	return operations(frame, ops, &space{slab: slabItems})
}

func operations(frame []byte, ops []Operation, s *space) (_ []Operation, hello []byte, err error) {
	ops = slices.Grow(ops[:0], count(frame))
	rest := len(frame)
	hello, err = items(frame, func(item []byte) error {
		ops = append(ops, Operation{Size: len(item)})
		rest -= len(item)
		return decodeOperation(item, &ops[len(ops)-1], s)
	})
	if len(ops) > 0 {
		ops[0].Size += rest
	}
	return ops, hello, err
}

// Answers reads the answers of a ServerFrame as Operations does operations, but shares nothing
// with frame: a value may be kept for long.
func Answers(frame []byte, answers []Answer) (_ []Answer, welcome []byte, err error) {
	answers = answers[:0]
	s := space{own: true}
	welcome, err = items(frame, func(item []byte) error {
		answers = append(answers, Answer{})
		return decodeAnswer(item, &answers[len(answers)-1], &s)
	})
	return answers, welcome, err
}

// count returns how many elements a frame has; less if it is malformed.
func count(frame []byte) (n int) {
	for len(frame) > 0 {
		f, rest, err := next(frame)
		if err != nil {
			return n
		}
		if f.tag == uint64(frameItems) {
			n++
		}
		frame = rest
	}
	return n
}

// items calls each for every element of a frame's field 2, and returns its field 1.
func items(frame []byte, each func([]byte) error) (first []byte, err error) {
	for len(frame) > 0 {
		f, rest, err := next(frame)
		if err != nil {
			return nil, err
		}
		frame = rest
		switch f.tag {
		case 1<<3 | uint64(length):
			if first, err = join(first, f.bytes); err != nil {
				return nil, err
			}
			if first == nil {
				first = []byte{}
			}
		case uint64(frameItems):
			if err := each(f.bytes); err != nil {
				return nil, err
			}
		}
	}
	return first, nil
}

// A field is one field of a message: number in bytes, for those that have a length.
type field struct {
	tag    uint64
	number uint64
	bytes  []byte
}

// next reads one field of any number and type.
func next(b []byte) (f field, rest []byte, err error) {
	if len(b) > 0 && b[0] < 0x80 {
		f.tag, b = uint64(b[0]), b[1:]
	} else if f.tag, b, err = uvarint(b); err != nil {
		return f, nil, err
	}
	if n := f.tag >> 3; n == 0 || n > uint64(protowire.MaxValidNumber) {
		return f, nil, ErrMalformed
	}
	switch byte(f.tag & 7) {
	case varint:
		if len(b) > 0 && b[0] < 0x80 {
			f.number, b = uint64(b[0]), b[1:]
			return f, b, nil
		}
		f.number, b, err = uvarint(b)
		return f, b, err
	case fixed64:
		if len(b) < 8 {
			return f, nil, ErrMalformed
		}
		f.number = binary.LittleEndian.Uint64(b)
		return f, b[8:], nil
	case length:
		var n uint64
		if n, b, err = uvarint(b); err != nil || n > uint64(len(b)) {
			return f, nil, ErrMalformed
		}
		f.bytes = b[:n:n]
		return f, b[n:], nil
	default: // groups, and 32-bit fields: none of ours
		n := protowire.ConsumeFieldValue(protowire.Number(f.tag>>3), protowire.Type(f.tag&7), b) //nolint:gosec // bounded above
		if n < 0 {
			return f, nil, ErrMalformed
		}
		return f, b[n:], nil
	}
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := protowire.ConsumeVarint(b)
	if n < 0 {
		return 0, nil, ErrMalformed
	}
	return v, b[n:], nil
}

func decodeOperation(b []byte, op *Operation, s *space) (err error) {
	var state []byte
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch f.tag {
		case uint64(opID):
			op.Id = f.number
		case uint64(opKind):
			op.Kind = storagepb.Kind(f.number) //nolint:gosec // as protobuf reads enums
		case uint64(opEpoch):
			op.Epoch = f.number
		case uint64(opTimeout):
			op.TimeoutMs = uint32(f.number) //nolint:gosec // as protobuf does
		case uint64(opTenant):
			if op.Tenant, err = text(f.bytes); err != nil {
				return fmt.Errorf("tenant: %w", err)
			}
		case uint64(opKey):
			op.Key = f.bytes
		case uint64(opPolicy):
			op.Policy = storagepb.Policy(f.number) //nolint:gosec // as above
		case uint64(opOrigin):
			op.Origin = storagepb.Origin(f.number) //nolint:gosec // as above
		case uint64(opState):
			if state, err = join(state, f.bytes); err != nil {
				return err
			}
		}
	}
	op.Columns, err = decodeState(state, &op.State, s)
	return err
}

func decodeAnswer(b []byte, a *Answer, s *space) (err error) {
	var state []byte
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch f.tag {
		case uint64(ansID):
			a.Id = f.number
		case uint64(ansStatus):
			a.Status = storagepb.Status(f.number) //nolint:gosec // as protobuf reads enums
		case uint64(ansDetail):
			if a.Detail, err = text(f.bytes); err != nil {
				return fmt.Errorf("detail: %w", err)
			}
			a.Detail = strings.Clone(a.Detail)
		case uint64(ansState):
			if state, err = join(state, f.bytes); err != nil {
				return err
			}
		case uint64(ansDigest):
			a.Digest = f.number
		case uint64(ansLive):
			a.Live = f.number != 0
		case uint64(ansSeen):
			a.Seen = f.number != 0
		}
	}
	a.Columns, err = decodeState(state, &a.State, s)
	return err
}

// text is a proto3 string.
func text(b []byte) (string, error) {
	if !utf8.Valid(b) {
		return "", fmt.Errorf("%w: a string is not UTF-8", ErrMalformed)
	}
	return unsafe.String(unsafe.SliceData(b), len(b)), nil // the frame never changes
}

// join is what a message is that came in two parts: its fields follow one another. Each part
// must be a message by itself, so that no field begins in one and ends in the other.
func join(first, second []byte) ([]byte, error) {
	if len(first) == 0 {
		return second, nil
	}
	for _, part := range [][]byte{first, second} {
		for len(part) > 0 {
			_, rest, err := next(part)
			if err != nil {
				return nil, err
			}
			part = rest
		}
	}
	return append(first[:len(first):len(first)], second...), nil
}

// column appends a part of a packed column: whole numbers.
func column(b, part []byte) ([]byte, error) {
	switch {
	case len(part)%8 != 0:
		return nil, ErrMalformed
	case len(b) == 0:
		return part, nil
	default:
		return append(b[:len(b):len(b)], part...), nil
	}
}

func decodeState(b []byte, to *vclock.State, s *space) (columns bool, err error) {
	var actors, stamps []byte
	first := len(s.siblings)
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return false, err
		}
		b = rest
		switch f.tag {
		case uint64(stActors):
			if actors, err = column(actors, f.bytes); err != nil {
				return false, err
			}
		case uint64(stStamps):
			if stamps, err = column(stamps, f.bytes); err != nil {
				return false, err
			}
		case 1<<3 | uint64(fixed64): // not packed, as some encoders write them
			actors = binary.LittleEndian.AppendUint64(actors[:len(actors):len(actors)], f.number)
		case 2<<3 | uint64(fixed64):
			stamps = binary.LittleEndian.AppendUint64(stamps[:len(stamps):len(stamps)], f.number)
		case uint64(stSiblings):
			first = s.room(first)
			s.siblings = append(s.siblings, vclock.Sibling{})
			if err := decodeSibling(f.bytes, &s.siblings[len(s.siblings)-1], s.own); err != nil {
				return false, err
			}
		}
	}
	if n := len(s.siblings); n > first {
		to.Siblings = s.siblings[first:n:n]
	}
	if len(actors) != len(stamps) {
		*to = vclock.State{}
		return true, nil
	}
	to.Clock = s.clock(len(actors) / 8)
	for i := range to.Clock {
		to.Clock[i] = vclock.Dot{
			Actor: vclock.Actor(binary.LittleEndian.Uint64(actors[8*i:])),
			Stamp: vclock.Stamp(binary.LittleEndian.Uint64(stamps[8*i:])),
		}
	}
	return false, nil
}

func decodeSibling(b []byte, sib *vclock.Sibling, own bool) error {
	for len(b) > 0 {
		f, rest, err := next(b)
		if err != nil {
			return err
		}
		b = rest
		switch f.tag {
		case uint64(sibActor):
			sib.Dot.Actor = vclock.Actor(f.number)
		case uint64(sibStamp):
			sib.Dot.Stamp = vclock.Stamp(f.number)
		case uint64(sibValue):
			sib.Value = f.bytes
		case uint64(sibTomb):
			sib.Tombstone = f.number != 0
		case uint64(sibExpires):
			sib.Expires = int64(f.number) //nolint:gosec // as protobuf reads int64
		}
	}
	if len(sib.Value) == 0 {
		sib.Value = nil
	} else if own {
		sib.Value = bytes.Clone(sib.Value)
	}
	return nil
}

// space is where decoded clocks and siblings are, many in one allocation where
// they all go together.
type space struct {
	slab     int  // elements of one allocation; 0 is just as many as a state takes
	own      bool // values are copied
	dots     []vclock.Dot
	siblings []vclock.Sibling
	lost     int // elements in allocations before
}

// What a frame's space allocates at a time, and the most that it keeps for the next one.
const slabItems, slabKept = 64, 8192

// reset takes back what was handed out.
func (s *space) reset() {
	if s.lost > 0 { // room for as much in one allocation each, the next time
		s.slab = min(2*(s.lost+max(len(s.dots), len(s.siblings))), slabKept)
		s.dots, s.siblings = nil, nil
	}
	clear(s.siblings)
	s.dots, s.siblings, s.lost = s.dots[:0], s.siblings[:0], 0
}

func (s *space) clock(n int) vclock.Clock {
	if n == 0 {
		return nil
	}
	if cap(s.dots)-len(s.dots) < n {
		s.lost += len(s.dots)
		s.dots = make([]vclock.Dot, 0, max(n, s.slab))
	}
	first := len(s.dots)
	s.dots = s.dots[:first+n]
	return s.dots[first : first+n : first+n]
}

// room makes room for one more sibling of the state whose first one is at first, and
// returns where that one is then.
func (s *space) room(first int) int {
	if len(s.siblings) < cap(s.siblings) && (s.slab > 0 || first < len(s.siblings)) {
		return first
	}
	part := s.siblings[first:]
	s.lost += first
	s.siblings = append(make([]vclock.Sibling, 0, max(s.slab, 1, 2*len(part))), part...)
	return 0
}
