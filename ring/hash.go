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

// inlineInput is the length of input that sum hashes without touching the
// heap: a length prefix, the longest tenant id (128) and the longest key
// (1,024), rounded up.
const inlineInput = 1280

// sum hashes the concatenation of a 32-bit big-endian length of a, then a,
// then b. The length keeps ("ab", "c") and ("a", "bc") apart for all bytes.
func (h Hash) sum(a, b string) uint64 {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(a)))
	if h == SHA256 {
		var space [inlineInput]byte
		in := append(append(append(space[:0], length[:]...), a...), b...)
		out := sha256.Sum256(in)
		return binary.BigEndian.Uint64(out[:8])
	}
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(length[:]) // a hash never fails to take bytes
	_, _ = d.WriteString(a)
	_, _ = d.WriteString(b)
	return d.Sum64()
}
