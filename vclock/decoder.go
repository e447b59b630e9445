package vclock

import "encoding/binary"

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
			return nil
		}
		c[i] = Dot{Actor: a, Stamp: s}
		previous = a
	}
	return c
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
	var previous Actor
	for i := range siblings {
		d.sibling(&siblings[i], previous)
		if d.err != nil {
			return nil
		}
		previous = siblings[i].Dot.Actor
	}
	return siblings
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
