package vclock

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

const (
	dotBytes = 16

	// digestDots is how many dots, the clock's and the siblings', are put together and
	// hashed in one call: those of a usual state, in half of the time that a Digest of
	// the hash takes.
	digestDots = 16
)

// Digest returns a hash of the clock and of the siblings' dots, values left out:
// equal states have equal digests, and unequal ones differ but for one chance in
// 2⁶⁴. The zero State's is 0, and no other's is.
//
// It is part of the wire protocol (storagepb/storage.proto, "Digest"): xxhash64
// over the number of clock entries, the entries, and the sibling dots.
func (s State) Digest() uint64 {
	if s.IsZero() {
		return 0
	}
	var space [8 + digestDots*dotBytes]byte
	b := binary.LittleEndian.AppendUint64(space[:0], uint64(len(s.Clock)))
	if len(s.Clock)+len(s.Siblings) > digestDots {
		return s.digestOfMany(b)
	}
	for i := range s.Clock {
		b = appendDot(b, s.Clock[i])
	}
	for i := range s.Siblings {
		b = appendDot(b, s.Siblings[i].Dot)
	}
	return max(xxhash.Sum64(b), 1)
}

// digestOfMany is Digest for any number of dots, of which b holds what comes before.
func (s State) digestOfMany(b []byte) uint64 {
	var h xxhash.Digest
	h.Reset()
	for i := range s.Clock {
		b = digestDot(&h, b, s.Clock[i])
	}
	for i := range s.Siblings {
		b = digestDot(&h, b, s.Siblings[i].Dot)
	}
	_, _ = h.Write(b)
	return max(h.Sum64(), 1)
}

// digestDot appends d to b, and empties b into h first when it is full.
func digestDot(h *xxhash.Digest, b []byte, d Dot) []byte {
	if len(b)+dotBytes > cap(b) {
		_, _ = h.Write(b)
		b = b[:0]
	}
	return appendDot(b, d)
}

func appendDot(b []byte, d Dot) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Actor))
	return binary.LittleEndian.AppendUint64(b, uint64(d.Stamp))
}
