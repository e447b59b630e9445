package ring

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// Hash names the function that turns bytes into 64-bit numbers. It is chosen
// when a cluster is created and never changes afterwards, since every key's
// place depends on it. The zero value is XXHash64.
type Hash uint8

const (
	XXHash64 Hash = iota // XXH64 with seed 0; the default
	SHA256               // the first 8 bytes of SHA-256, big endian; about four times slower
)

var hashNames = [...]string{XXHash64: "xxhash64", SHA256: "sha256"}

// String returns the name that ParseHash reads: "xxhash64" or "sha256".
func (h Hash) String() string {
	if int(h) < len(hashNames) {
		return hashNames[h]
	}
	return "hash(" + strconv.Itoa(int(h)) + ")"
}

// ParseHash reads a name written by String. An unknown name is a *FieldError
// for the field "Hash".
func ParseHash(name string) (Hash, error) {
	for h, n := range hashNames {
		if n == name {
			return Hash(h), nil
		}
	}
	return 0, &FieldError{Field: "Hash", Reason: "unknown name " + strconv.Quote(name) + "; known are xxhash64 and sha256"}
}

const (
	// shortInput is the length of input, that of a usual tenant id and key, which is
	// put together and hashed in one call: a Digest that is given the three pieces
	// takes up to a quarter longer, the more the shorter they are.
	shortInput = 120
	// wholeInput is the length that sumSHA256 hashes without touching the heap: a
	// length prefix, the longest tenant id (128) and the longest key (1,024), rounded up.
	wholeInput = 1280
	prefixLen  = 4
	wordLen    = 8
)

// sum hashes the concatenation of a 32-bit big-endian length of a, then a,
// then b. The length keeps ("ab", "c") and ("a", "bc") apart for all bytes.
func (h Hash) sum(a, b string) uint64 {
	// Long input and SHA-256 are apart, since what they need makes the stack frame large.
	switch n := prefixLen + len(a) + len(b); {
	case h == SHA256:
		return sumSHA256(a, b)
	case n > shortInput:
		return sumPieces(a, b)
	case len(b) >= wordLen:
		return sumWords(a, b)
	default:
		var space [shortInput]byte
		return xxhash.Sum64(space[:putInput(space[:], a, b)])
	}
}

// sumWords is sum by XXHash64 of short input whose b is a word or more. It puts the input
// together in whole words, as the hash will read it: a word of which parts were stored one by
// one cannot be read before all of them have left for the cache, which takes as long as a third
// of the hash.
func sumWords(a, b string) uint64 {
	var space [shortInput + wordLen]byte
	n, i := 0, 0 // bytes of space, and of a, that are done with
	// What is not stored yet: the low bits of word, have of them.
	word, have := uint64(bits.ReverseBytes32(uint32(len(a)))), 8*prefixLen
	for ; i+wordLen <= len(a); i += wordLen {
		next := wordOf(a[i:])
		putWord(space[n:], word|next<<32)
		word = next >> 32
		n += wordLen
	}
	for ; i < len(a); i++ {
		word |= uint64(a[i]) << (have & 63)
		if have += 8; have == 64 {
			putWord(space[n:], word)
			n += wordLen
			word, have = 0, 0
		}
	}
	putWord(space[n:], word|wordOf(b)<<(have&63))
	start := prefixLen + len(a)
	end := start + len(b)
	for n += wordLen; n+wordLen <= end; n += wordLen {
		putWord(space[n:], wordOf(b[n-start:]))
	}
	if n < end {
		putWord(space[n:], wordOf(b[len(b)-wordLen:])>>(8*(n+wordLen-end)&63))
	}
	return xxhash.Sum64(space[:end])
}

func putWord(in []byte, word uint64) { binary.LittleEndian.PutUint64(in, word) }

// wordOf returns the first 8 bytes of s, little endian.
func wordOf(s string) uint64 {
	_ = s[wordLen-1]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func sumPieces(a, b string) uint64 {
	var prefix [prefixLen]byte
	binary.BigEndian.PutUint32(prefix[:], uint32(len(a)))
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(prefix[:]) // a hash never fails to take bytes
	_, _ = d.WriteString(a)
	_, _ = d.WriteString(b)
	return d.Sum64()
}

func sumSHA256(a, b string) uint64 {
	n := prefixLen + len(a) + len(b)
	var space [wholeInput]byte
	in := space[:]
	if n > len(in) {
		in = make([]byte, n)
	}
	out := sha256.Sum256(in[:putInput(in, a, b)])
	return binary.BigEndian.Uint64(out[:8])
}

// putInput writes what sum hashes to the front of in, which is long enough.
func putInput(in []byte, a, b string) int {
	binary.BigEndian.PutUint32(in, uint32(len(a)))
	n := prefixLen + copy(in[prefixLen:], a)
	return n + copy(in[n:], b)
}
