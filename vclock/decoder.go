package vclock

import (
	"encoding/binary"
	"math/bits"
)

// A decoder reads the forms of codec.go from in. It keeps the first error; what it
// returns after that is zero. It counts where it is and does not shorten in, which
// would be a write barrier for each number while the collector runs.
type decoder struct {
	in   []byte
	at   int
	err  error
	slab *Slab // where clocks and siblings go; nil is nowhere in particular
}

func (d *decoder) left() int { return len(d.in) - d.at }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = malformed(format, args...)
	}
	d.at = len(d.in)
}

func (d *decoder) version() {
	if v := d.byte(); d.err == nil && v != codecVersion {
		d.fail("version %d is unknown", v)
	}
}

func (d *decoder) end() {
	if d.left() > 0 {
		d.fail("%d trailing bytes", d.left())
	}
}

func (d *decoder) byte() byte {
	if d.left() == 0 {
		d.fail("truncated")
		return 0
	}
	v := d.in[d.at]
	d.at++
	return v
}

func (d *decoder) uvarint() uint64 {
	if d.left() >= binary.MaxVarintLen64 {
		if v, n := longUvarint(d.in[d.at:]); n > 0 {
			d.at += n
			return v
		}
	}
	v, n := binary.Uvarint(d.in[d.at:])
	switch {
	case n == 0:
		d.fail("truncated")
		return 0
	case n < 0:
		d.fail("number overflows")
		return 0
	case n > 1 && d.in[d.at+n-1] == 0:
		d.fail("number is not minimal")
		return 0
	}
	d.at += n
	return v
}

// longUvarint reads a minimal uvarint from binary.MaxVarintLen64 bytes or more, eight of them at a time: actors and
// stamps take nine and ten. It returns 0 for the length of what is none.
func longUvarint(b []byte) (v uint64, n int) {
	const more = 0x8080808080808080 // the bit of each byte that says that another follows
	_ = b[binary.MaxVarintLen64-1]
	v = binary.LittleEndian.Uint64(b)
	if last := ^v & more; last != 0 {
		n = bits.TrailingZeros64(last)/8 + 1
		v &= 1<<(8*n) - 1
		if n > 1 && v>>(8*n-8) == 0 {
			return 0, 0
		}
		return pack(v), n
	}
	v = pack(v)
	switch {
	case b[8] == 0 || b[8] >= 0x80 && b[9] != 1: // one bit is left for the tenth
		return 0, 0
	case b[8] < 0x80:
		return v | uint64(b[8])<<56, 9
	default:
		return v | uint64(b[8]&0x7f)<<56 | 1<<63, 10
	}
}

// pack puts the lower seven bits of each byte together, by twos.
func pack(v uint64) uint64 {
	v = v&0x007f007f007f007f | v&0x7f007f007f007f00>>1
	v = v&0x00003fff00003fff | v&0x3fff00003fff0000>>2
	return v&0x0fffffff | v&0x0fffffff00000000>>4
}

// count reads a number of items that take at least size bytes each.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(d.left()/size) {
		d.fail("count %d exceeds the input", n)
		return 0
	}
	return int(n)
}

// actor reads a difference to the actor before.
func (d *decoder) actor(previous Actor) Actor {
	a := previous + Actor(d.uvarint())
	if a < previous {
		d.fail("actor overflows")
		return 0
	}
	return a
}

func (d *decoder) entries() Clock {
	n := d.count(minEntryBytes)
	if n == 0 {
		return nil
	}
	var c Clock
	if d.slab != nil {
		c = d.slab.Clock(n)
	} else {
		c = make(Clock, n)
	}
	if d.fillClock(c); d.err != nil {
		return nil
	}
	return c
}

// fillClock reads as many entries as c has.
func (d *decoder) fillClock(c Clock) {
	var previous Actor
	for i := range c {
		a := d.actor(previous)
		if i > 0 && a == previous {
			d.fail("clock entry %d: actors are not ascending", i)
		}
		s := Stamp(d.uvarint())
		if s == 0 {
			d.fail("clock entry %d: stamp is zero", i)
		}
		if d.err != nil {
			return
		}
		c[i] = Dot{Actor: a, Stamp: s}
		previous = a
	}
}

func (d *decoder) siblings() []Sibling {
	n := d.count(minSiblingBytes)
	if n == 0 {
		return nil
	}
	var siblings []Sibling
	if d.slab != nil {
		siblings = d.slab.Siblings(n)
	} else {
		siblings = make([]Sibling, n)
	}
	if d.fillSiblings(siblings); d.err != nil {
		return nil
	}
	return siblings
}

// fillSiblings reads as many siblings as there is room for.
func (d *decoder) fillSiblings(siblings []Sibling) {
	var previous Actor
	for i := range siblings {
		d.sibling(&siblings[i], previous)
		if d.err != nil {
			return
		}
		previous = siblings[i].Dot.Actor
	}
}

func (d *decoder) sibling(s *Sibling, previous Actor) {
	s.Dot = Dot{Actor: d.actor(previous), Stamp: Stamp(d.uvarint())}
	flags := d.byte()
	if flags&^(flagTombstone|flagExpires) != 0 {
		d.fail("sibling has unknown flags %#x", flags)
	}
	s.Tombstone = flags&flagTombstone != 0
	if flags&flagExpires != 0 {
		s.Expires = int64(d.uvarint())
		if s.Expires == 0 {
			d.fail("expiry is zero")
		}
	}
	if !s.Tombstone {
		s.Value = d.bytes(d.count(1))
	}
}

// bytes returns the next n bytes of the input, which must be there. Their
// capacity ends with them, so that an append cannot reach what follows.
func (d *decoder) bytes(n int) []byte {
	if d.err != nil {
		return nil
	}
	v := d.in[d.at : d.at+n : d.at+n]
	d.at += n
	return v
}
