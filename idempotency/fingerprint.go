package idempotency

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/devrev/pairdb/vclock"
)

// A ContextKind says which context a write was asked to use.
type ContextKind uint8

const (
	// OverwriteContext is that of a write that was given none: it covers what was there.
	OverwriteContext ContextKind = iota
	// ExplicitContext is one that was given: pairdb.After.
	ExplicitContext
	// EmptyContext is that of a write that covers nothing: pairdb.NoContext.
	EmptyContext
)

// A Request is what the caller of a write asked for, in so far as a retry must ask for the
// same. The level and the time limit are no part of it.
type Request struct {
	Op                   Op
	Cluster, Tenant, Key string
	Value                []byte
	TTL                  time.Duration // of the value, as given; 0 is none
	Context              ContextKind
	Clock                vclock.Clock // of an ExplicitContext; valid
}

// fingerprintDomain begins what is hashed. It keeps these hashes apart from all
// others, and names the encoding.
const fingerprintDomain = "pairdb/idempotency/fingerprint/1"

// FingerprintOf returns the first 16 bytes of the SHA-256 of an encoding of r in which every part
// has its length, so that requests that differ have fingerprints that differ.
//
// Of an Update only the operation and the key count: what its function returns may differ from call
// to call, and the first one's result stands. Clock counts with an ExplicitContext alone.
//
// Records outlive programs, and programs of several versions share them: a request
// has the same fingerprint in all of them.
func FingerprintOf(r Request) Fingerprint {
	h := sha256.New()
	b := append(make([]byte, 0, 512), fingerprintDomain...)
	b = append(b, byte(r.Op))
	for _, s := range [...]string{r.Cluster, r.Tenant, r.Key} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	if r.Op != Update {
		b = binary.BigEndian.AppendUint64(b, uint64(r.TTL))
		b = append(b, byte(r.Context))
		if r.Context == ExplicitContext {
			clock := vclock.AppendClock(nil, r.Clock)
			b = binary.BigEndian.AppendUint64(b, uint64(len(clock)))
			b = append(b, clock...)
		}
		b = binary.BigEndian.AppendUint64(b, uint64(len(r.Value)))
	}
	_, _ = h.Write(b) // a hash never fails
	if r.Op != Update {
		_, _ = h.Write(r.Value) // not by way of b: it may be large
	}
	return Fingerprint(h.Sum(nil))
}
