package vclock

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

const (
	dotBytes = 16

	// digestBuffer holds the states that are usual, without a second call of the hash.
	digestBuffer = 8 + 16*dotBytes
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
	var h xxhash.Digest
	h.Reset()
	var buf [digestBuffer]byte
	b := binary.LittleEndian.AppendUint64(buf[:0], uint64(len(s.Clock)))
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
	if len(b)+dotBytes > digestBuffer {
		_, _ = h.Write(b)
		b = b[:0]
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Actor))
	return binary.LittleEndian.AppendUint64(b, uint64(d.Stamp))
}
