package wire

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields goes through the fields of a message, of any number and type. It keeps the last one in place: to hand it
// and what is left from call to call takes longer than to read it.
type fields struct {
	rest []byte
	err  error // ErrMalformed

	tag    uint64
	number uint64
	bytes  []byte // of those that have a length; apart from number, which only others set
}

// next reads a field, and returns false at the end of the message or at what is none.
func (f *fields) next() bool {
	b := f.rest
	if len(b) < 2 || b[0] >= 0x80 || b[0] < 1<<3 {
		return len(b) > 0 && f.rare()
	}
	f.tag = uint64(b[0])
	at := 2
	switch b[0] & 7 {
	case varint:
		if f.number = uint64(b[1]); b[1] >= 0x80 {
			v, n := protowire.ConsumeVarint(b[1:])
			if n < 0 {
				return f.fail()
			}
			f.number, at = v, 1+n
		}
	case fixed64:
		if at = 9; len(b) < at {
			return f.fail()
		}
		f.number = binary.LittleEndian.Uint64(b[1:])
	case length:
		size := uint64(b[1])
		if size >= 0x80 {
			v, n := protowire.ConsumeVarint(b[1:])
			if n < 0 {
				return f.fail()
			}
			size, at = v, 1+n
		}
		if size > uint64(len(b)-at) {
			return f.fail()
		}
		end := at + int(size) //nolint:gosec // within b
		f.bytes, at = b[at:end:end], end
	default:
		return f.rare()
	}
	f.rest = b[at:]
	return true
}

// rare is next for what no writer of ours sends: tags of several bytes, groups, and 32-bit fields.
func (f *fields) rare() bool {
	tag, n := protowire.ConsumeVarint(f.rest)
	number := tag >> 3
	if n < 0 || number == 0 || number > uint64(protowire.MaxValidNumber) {
		return f.fail()
	}
	b := f.rest[n:]
	switch byte(tag & 7) {
	case varint:
		f.number, n = protowire.ConsumeVarint(b)
	case fixed64:
		f.number, n = protowire.ConsumeFixed64(b)
	case length:
		f.bytes, n = protowire.ConsumeBytes(b)
		f.bytes = f.bytes[:len(f.bytes):len(f.bytes)]
	default:
		n = protowire.ConsumeFieldValue(protowire.Number(number), protowire.Type(tag&7), b) //nolint:gosec // bounded above
	}
	if n < 0 {
		return f.fail()
	}
	f.tag, f.rest = tag, b[n:]
	return true
}

func (f *fields) fail() bool {
	f.err = ErrMalformed
	return false
}
