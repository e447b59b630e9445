package vclock

import "encoding/binary"

// The binary forms of this file are for disks and for contexts. Numbers are
// minimal uvarints, actors are differences to the one before:
//
//	clock   = version  entries
//	state   = version  policy  entries  n  n × sibling
//	entries = n  n × (actor − previous actor, stamp)
//	sibling = actor − previous sibling's actor, stamp, flags,
//	          expiry if flagged, and unless a tombstone: length, value
//
// A value has one form only: what decodes, encodes to the same bytes.
const (
	codecVersion = 1

	flagTombstone = 1 << 0
	flagExpires   = 1 << 1

	// The fewest bytes that one item takes bound the counts that a decoder believes.
	minEntryBytes   = 2
	minSiblingBytes = 3
)

// AppendState appends the binary form of s, which must be valid for p.
func AppendState(b []byte, p Policy, s State) []byte {
	b = append(b, codecVersion, byte(p))
	b = appendEntries(b, s.Clock)
	b = appendUvarint(b, uint64(len(s.Siblings)))
	var previous Actor
	for i := range s.Siblings {
		b = appendSibling(b, &s.Siblings[i], previous)
		previous = s.Siblings[i].Dot.Actor
	}
	return b
}

// DecodeState reads what AppendState wrote, all of b. The values alias b. Errors
// wrap ErrMalformed. Every state that Join can return decodes, so one whose
// writers broke invariant 3 may have a clock and no sibling; Validate refuses it.
func DecodeState(b []byte) (Policy, State, error) { return decodeState(b, nil) }

func decodeState(b []byte, slab *Slab) (Policy, State, error) {
	d := decoder{in: b, slab: slab}
	d.version()
	p := Policy(d.byte())
	s := State{Clock: d.entries()}
	s.Siblings = d.siblings()
	d.end()
	if d.err == nil {
		d.err = s.validateParts(p)
	}
	if d.err != nil {
		return 0, State{}, d.err
	}
	return p, s, nil
}

// AppendClock appends the binary form of c, which must be valid.
func AppendClock(b []byte, c Clock) []byte {
	return appendEntries(append(b, codecVersion), c)
}

// DecodeClock reads what AppendClock wrote, all of b. Errors wrap ErrMalformed.
func DecodeClock(b []byte) (Clock, error) {
	d := decoder{in: b}
	d.version()
	c := d.entries()
	d.end()
	if d.err != nil {
		return nil, d.err
	}
	return c, nil
}

func appendEntries(b []byte, c Clock) []byte {
	b = appendUvarint(b, uint64(len(c)))
	var previous Actor
	for _, d := range c {
		b = appendUvarint(b, uint64(d.Actor-previous))
		b = appendUvarint(b, uint64(d.Stamp))
		previous = d.Actor
	}
	return b
}

// appendUvarint is binary.AppendUvarint, but that eight of the bytes of a large number are written at once.
func appendUvarint(b []byte, v uint64) []byte {
	if v < 1<<56 {
		return binary.AppendUvarint(b, v)
	}
	const more = 0x8080808080808080
	b = binary.LittleEndian.AppendUint64(b, spread(v)|more)
	if v >>= 56; v < 0x80 {
		return append(b, byte(v))
	}
	return append(b, byte(v)|0x80, 1)
}

// spread puts the lower 56 bits into the lower seven of each byte.
func spread(v uint64) uint64 {
	v = v&0x0fffffff | v<<4&0x0fffffff00000000
	v = v&0x00003fff00003fff | v<<2&0x3fff00003fff0000
	return v&0x007f007f007f007f | v<<1&0x7f007f007f007f00
}

func appendSibling(b []byte, s *Sibling, previous Actor) []byte {
	b = appendUvarint(b, uint64(s.Dot.Actor-previous))
	b = appendUvarint(b, uint64(s.Dot.Stamp))
	var flags byte
	if s.Tombstone {
		flags |= flagTombstone
	}
	if s.Expires != 0 {
		flags |= flagExpires
	}
	b = append(b, flags)
	if s.Expires != 0 {
		b = appendUvarint(b, uint64(s.Expires))
	}
	if s.Tombstone {
		return b
	}
	b = appendUvarint(b, uint64(len(s.Value)))
	return append(b, s.Value...)
}
