package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/devrev/pairdb/vclock"
)

// The field tags of storagepb's messages, as they are written: number<<3 | type. All
// fit one byte.
const (
	varint  = byte(protowire.VarintType)
	fixed64 = byte(protowire.Fixed64Type)
	length  = byte(protowire.BytesType)

	frameItems = 2<<3 | length // ClientFrame.operations, ServerFrame.answers

	opID       = 1<<3 | varint
	opKind     = 2<<3 | varint
	opEpoch    = 3<<3 | varint
	opTimeout  = 4<<3 | varint
	opTenant   = 5<<3 | length
	opKey      = 6<<3 | length
	opPolicy   = 7<<3 | varint
	opOrigin   = 8<<3 | varint
	opState    = 9<<3 | length
	stActors   = 1<<3 | length
	stStamps   = 2<<3 | length
	stSiblings = 3<<3 | length
	sibActor   = 1<<3 | fixed64
	sibStamp   = 2<<3 | fixed64
	sibValue   = 3<<3 | length
	sibTomb    = 4<<3 | varint
	sibExpires = 5<<3 | varint
	ansID      = 1<<3 | varint
	ansStatus  = 2<<3 | varint
	ansDetail  = 3<<3 | length
	ansState   = 4<<3 | length
	ansDigest  = 5<<3 | fixed64
	ansLive    = 6<<3 | varint
	ansSeen    = 7<<3 | varint
)

// AppendOperation appends op, but with key for its Key, as one element of a ClientFrame's
// operations: a frame is such elements, one after the other.
func AppendOperation(b []byte, op *Operation, key string) []byte {
	state := stateSize(&op.State)
	n := sizeVarint(opID, op.Id) + sizeVarint(opKind, uint64(op.Kind)) + sizeVarint(opEpoch, op.Epoch) +
		sizeVarint(opTimeout, uint64(op.TimeoutMs)) + sizeBytes(len(op.Tenant)) + sizeBytes(len(key)) +
		sizeVarint(opPolicy, uint64(op.Policy)) + sizeVarint(opOrigin, uint64(op.Origin))
	if state > 0 {
		n += 1 + protowire.SizeBytes(state)
	}
	b = append(b, frameItems)
	b = protowire.AppendVarint(b, uint64(n))
	b = appendVarint(b, opID, op.Id)
	b = appendVarint(b, opKind, uint64(op.Kind))
	b = appendVarint(b, opEpoch, op.Epoch)
	b = appendVarint(b, opTimeout, uint64(op.TimeoutMs))
	b = appendString(b, opTenant, op.Tenant)
	b = appendString(b, opKey, key)
	b = appendVarint(b, opPolicy, uint64(op.Policy))
	b = appendVarint(b, opOrigin, uint64(op.Origin))
	if state > 0 {
		b = append(b, opState)
		b = protowire.AppendVarint(b, uint64(state))
		b = appendState(b, &op.State)
	}
	return b
}

// AppendAnswer appends a as one element of a ServerFrame's answers.
func AppendAnswer(b []byte, a *Answer) []byte {
	state := stateSize(&a.State)
	n := sizeVarint(ansID, a.Id) + sizeVarint(ansStatus, uint64(a.Status)) + sizeBytes(len(a.Detail)) +
		sizeFixed(a.Digest) + sizeBool(a.Live) + sizeBool(a.Seen)
	if state > 0 {
		n += 1 + protowire.SizeBytes(state)
	}
	b = append(b, frameItems)
	b = protowire.AppendVarint(b, uint64(n))
	b = appendVarint(b, ansID, a.Id)
	b = appendVarint(b, ansStatus, uint64(a.Status))
	b = appendString(b, ansDetail, a.Detail)
	if state > 0 {
		b = append(b, ansState)
		b = protowire.AppendVarint(b, uint64(state))
		b = appendState(b, &a.State)
	}
	b = appendFixed(b, ansDigest, a.Digest)
	b = appendBool(b, ansLive, a.Live)
	return appendBool(b, ansSeen, a.Seen)
}

func stateSize(s *vclock.State) int {
	n := 0
	if len(s.Clock) > 0 {
		n = 2 * (1 + protowire.SizeBytes(8*len(s.Clock)))
	}
	for i := range s.Siblings {
		n += 1 + protowire.SizeBytes(siblingSize(&s.Siblings[i]))
	}
	return n
}

func siblingSize(s *vclock.Sibling) int {
	return sizeFixed(uint64(s.Dot.Actor)) + sizeFixed(uint64(s.Dot.Stamp)) + sizeBytes(len(s.Value)) +
		sizeBool(s.Tombstone) + sizeVarint(sibExpires, uint64(s.Expires))
}

func appendState(b []byte, s *vclock.State) []byte {
	if n := uint64(8 * len(s.Clock)); n > 0 {
		b = protowire.AppendVarint(append(b, stActors), n)
		for _, d := range s.Clock {
			b = protowire.AppendFixed64(b, uint64(d.Actor))
		}
		b = protowire.AppendVarint(append(b, stStamps), n)
		for _, d := range s.Clock {
			b = protowire.AppendFixed64(b, uint64(d.Stamp))
		}
	}
	for i := range s.Siblings {
		sib := &s.Siblings[i]
		b = protowire.AppendVarint(append(b, stSiblings), uint64(siblingSize(sib)))
		b = appendFixed(b, sibActor, uint64(sib.Dot.Actor))
		b = appendFixed(b, sibStamp, uint64(sib.Dot.Stamp))
		if len(sib.Value) > 0 {
			b = protowire.AppendBytes(append(b, sibValue), sib.Value)
		}
		b = appendBool(b, sibTomb, sib.Tombstone)
		b = appendVarint(b, sibExpires, uint64(sib.Expires))
	}
	return b
}

// What is zero is left out, as proto3 does.

func sizeVarint(_ byte, v uint64) int {
	if v == 0 {
		return 0
	}
	return 1 + protowire.SizeVarint(v)
}

func sizeFixed(v uint64) int {
	if v == 0 {
		return 0
	}
	return 9
}

func sizeBool(v bool) int {
	if !v {
		return 0
	}
	return 2
}

func sizeBytes(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + protowire.SizeBytes(n)
}

func appendVarint(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(append(b, tag), v)
}

func appendFixed(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendFixed64(append(b, tag), v)
}

func appendBool(b []byte, tag byte, v bool) []byte {
	if !v {
		return b
	}
	return append(b, tag, 1)
}

func appendString(b []byte, tag byte, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(append(b, tag), s)
}
