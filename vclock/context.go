package vclock

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// A Context is what a reader saw of one key, to hand to its next write: a clock,
// bound to the key by a checksum. The zero Context is none at all, which is not
// the same as the context of an absent key. It is immutable, and safe to use at
// any age.
//
// It is bound against mistakes, not against forgers: the checksum is no secret.
type Context struct {
	scope uint64
	clock Clock
	bound bool
}

// Scope returns the checksum that binds a context to a key of a tenant of a
// cluster.
func Scope(cluster, tenant, key string) uint64 {
	var h xxhash.Digest
	h.Reset()
	for _, field := range [...]string{cluster, tenant, key} {
		// Lengths keep ("a", "bc") and ("ab", "c") apart.
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(field)))
		_, _ = h.Write(length[:])
		_, _ = h.WriteString(field)
	}
	return h.Sum64()
}

// NewContext returns the context that has seen c, which it shares, bound to
// scope. It is not zero, also when c is empty.
func NewContext(scope uint64, c Clock) Context {
	return Context{scope: scope, clock: c, bound: true}
}

// IsZero reports whether the context is none at all.
func (x Context) IsZero() bool { return !x.bound }

// Len returns the number of actors that the context knows.
func (x Context) Len() int { return len(x.clock) }

// Clock returns what the context has seen. Errors: ErrForeignContext if it is
// bound to another scope, ErrMalformed if it is zero.
func (x Context) Clock(scope uint64) (Clock, error) {
	switch {
	case !x.bound:
		return nil, malformed("context is zero")
	case x.scope != scope:
		return nil, ErrForeignContext
	default:
		return x.clock, nil
	}
}

// The binary form, empty for the zero Context, else
//
//	version  scope (8 bytes, little endian)  entries as in codec.go  checksum
//
// The checksum is the lower half of the xxhash64 of all that precedes it, little
// endian. A form that is signed would have another version.
const (
	contextVersion = 1
	checksumBytes  = 4
)

var contextText = base64.RawURLEncoding.Strict()

// AppendBinary appends the binary form to b. It never fails.
func (x Context) AppendBinary(b []byte) ([]byte, error) {
	if !x.bound {
		return b, nil
	}
	start := len(b)
	b = append(b, contextVersion)
	b = binary.LittleEndian.AppendUint64(b, x.scope)
	b = appendEntries(b, x.clock)
	return binary.LittleEndian.AppendUint32(b, uint32(xxhash.Sum64(b[start:]))), nil
}

// MarshalBinary returns the binary form. It never fails.
func (x Context) MarshalBinary() ([]byte, error) { return x.AppendBinary(nil) }

// UnmarshalBinary sets x from its binary form, which it does not keep. Errors
// wrap ErrMalformed and leave x as it was.
func (x *Context) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		*x = Context{}
		return nil
	}
	if b[0] != contextVersion {
		return malformed("context version %d is unknown", b[0])
	}
	if len(b) < 1+8+1+checksumBytes {
		return malformed("context is truncated")
	}
	body, sum := b[:len(b)-checksumBytes], b[len(b)-checksumBytes:]
	if binary.LittleEndian.Uint32(sum) != uint32(xxhash.Sum64(body)) {
		return malformed("context is damaged")
	}
	d := decoder{in: body[1+8:]}
	clock := d.entries()
	d.end()
	if d.err != nil {
		return d.err
	}
	*x = NewContext(binary.LittleEndian.Uint64(body[1:]), clock)
	return nil
}

// MarshalText returns the binary form in base64url without padding, fit for
// headers, forms and URLs; empty for the zero Context. It never fails.
func (x Context) MarshalText() ([]byte, error) {
	b, err := x.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	return contextText.AppendEncode(nil, b), nil
}

// UnmarshalText sets x from its text form. Errors wrap ErrMalformed and leave x
// as it was.
func (x *Context) UnmarshalText(text []byte) error {
	// The decoder would skip line breaks; a context has one form only.
	if bytes.ContainsAny(text, "\r\n") {
		return malformed("context has a line break")
	}
	b, err := contextText.AppendDecode(nil, text)
	if err != nil {
		return malformed("context is not base64url: %w", err)
	}
	return x.UnmarshalBinary(b)
}

// String returns the text form.
func (x Context) String() string {
	text, _ := x.MarshalText()
	return string(text)
}
