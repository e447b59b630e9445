package ring

import (
	"crypto/sha256"
	"encoding/binary"
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
	shortInput = 128
	// wholeInput is the length that sumSHA256 hashes without touching the heap: a
	// length prefix, the longest tenant id (128) and the longest key (1,024), rounded up.
	wholeInput = 1280
	prefixLen  = 4
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
	default:
		var space [shortInput]byte
		putInput(space[:], a, b)
		return xxhash.Sum64(space[:n])
	}
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
