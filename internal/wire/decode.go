package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

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
	if ops = ops[:0]; cap(ops) == 0 {
		ops = make([]Operation, 0, count(frame))
	}
	rest := len(frame)
	f := fields{rest: frame}
	for f.next() {
		if f.tag != uint64(frameItems) {
			if hello, err = f.first(hello); err != nil {
				return ops, nil, err
			}
			continue
		}
		ops = append(ops, Operation{Size: len(f.bytes)})
		rest -= len(f.bytes)
		if err = decodeOperation(f.bytes, &ops[len(ops)-1], s); err != nil {
			return ops, nil, err
		}
	}
	if f.err != nil {
		return ops, nil, f.err
	}
	if len(ops) > 0 {
		ops[0].Size += rest
	}
	return ops, hello, nil
}

// Answers reads the answers of a ServerFrame as Operations does operations, but shares nothing
// with frame: a value may be kept for long.
func Answers(frame []byte, answers []Answer) (_ []Answer, welcome []byte, err error) {
	answers = answers[:0]
	s := space{own: true}
	f := fields{rest: frame}
	for f.next() {
		if f.tag != uint64(frameItems) {
			if welcome, err = f.first(welcome); err != nil {
				return answers, nil, err
			}
			continue
		}
		answers = append(answers, Answer{})
		if err = decodeAnswer(f.bytes, &answers[len(answers)-1], &s); err != nil {
			return answers, nil, err
		}
	}
	if f.err != nil {
		return answers, nil, f.err
	}
	return answers, welcome, nil
}

// count returns how many elements a frame has; less if it is malformed.
func count(frame []byte) (n int) {
	for f := (fields{rest: frame}); f.next(); {
		if f.tag == uint64(frameItems) {
			n++
		}
	}
	return n
}

// first adds the field, if it is a frame's field 1, to what has come of that.
func (f *fields) first(b []byte) ([]byte, error) {
	if f.tag != 1<<3|uint64(length) {
		return b, nil
	}
	b, err := join(b, f.bytes)
	if b == nil && err == nil {
		b = []byte{}
	}
	return b, err
}

func decodeOperation(b []byte, op *Operation, s *space) (err error) {
	var state []byte
	f := fields{rest: b}
	for f.next() {
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
	if f.err != nil {
		return f.err
	}
	op.Columns, err = decodeState(state, &op.State, s)
	return err
}

func decodeAnswer(b []byte, a *Answer, s *space) (err error) {
	var state []byte
	f := fields{rest: b}
	for f.next() {
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
	if f.err != nil {
		return f.err
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
		f := fields{rest: part}
		for f.next() { // to the end
		}
		if f.err != nil {
			return nil, f.err
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
	f := fields{rest: b}
	for f.next() {
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
	if f.err != nil {
		return false, f.err
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
	f := fields{rest: b}
	for f.next() {
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
	if f.err != nil {
		return f.err
	}
	if len(sib.Value) == 0 {
		sib.Value = nil
	} else if own {
		sib.Value = bytes.Clone(sib.Value)
	}
	return nil
}
