package idempotency

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/vclock"
)

const (
	// MaxTTL bounds a record's time to live.
	MaxTTL = 30 * 24 * time.Hour
	// MaxValueBytes bounds an intent's value: the largest that any client may be
	// opened for.
	MaxValueBytes = 16 << 20
	// MaxClockEntries bounds an intent's clock, as storage nodes do.
	MaxClockEntries = 1 << 16

	maxResult = 255 // Acked and Owners take a byte each
)

// Validate returns nil, or an error that is ErrInvalid and joins a *FieldError for
// each field that breaks its rule. It does not allocate for a valid key.
func (k Key) Validate() error {
	var errs []error
	for _, f := range [...]struct{ field, value string }{{"Key.Cluster", k.Cluster}, {"Key.Tenant", k.Tenant}} {
		if reason := nameReason(f.value); reason != "" {
			errs = append(errs, &FieldError{Field: f.field, Reason: reason})
		}
	}
	if reason := lengthReason(k.Key, MaxKeyBytes); reason != "" {
		errs = append(errs, &FieldError{Field: "Key.Key", Reason: reason})
	}
	if reason := lengthReason(k.Token, MaxTokenBytes); reason != "" {
		errs = append(errs, &FieldError{Field: "Key.Token", Reason: reason})
	}
	return errors.Join(errs...)
}

func lengthReason(s string, most int) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > most:
		return fmt.Sprintf("has %d bytes, more than %d", len(s), most)
	default:
		return ""
	}
}

func nameReason(s string) string {
	if reason := lengthReason(s, MaxNameBytes); reason != "" {
		return reason
	}
	for i := range len(s) {
		if !nameByte(s[i]) {
			return fmt.Sprintf("%q has a byte outside [A-Za-z0-9._-] at %d", s, i)
		}
	}
	return ""
}

func nameByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' ||
		b == '.' || b == '_' || b == '-'
}

// Validate returns nil, or an error that is ErrInvalid and joins a *FieldError for each
// field that breaks its rule (invariants 2 and 3). Whether a value is left out, as it is of
// a finished record, cannot be seen.
func (i Intent) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	if i.Fingerprint == (Fingerprint{}) {
		wrong("Intent.Fingerprint", "is zero: see FingerprintOf")
	}
	if i.Op < Put || i.Op > Update {
		wrong("Intent.Op", "%d is no operation", uint8(i.Op))
	}
	if i.Policy > vclock.LastWriteWins {
		wrong("Intent.Policy", "%d is no policy", uint8(i.Policy))
	} else if reason := i.stateReason(); reason != "" {
		wrong("Intent.State", "%s", reason)
	}
	return errors.Join(errs...)
}

// stateReason says what is wrong with the state of an intent whose policy is known.
func (i Intent) stateReason() string {
	s := &i.State
	if len(s.Siblings) != 1 {
		return fmt.Sprintf("has %d siblings: a write has one", len(s.Siblings))
	}
	if len(s.Clock) > MaxClockEntries {
		return fmt.Sprintf("has %d clock entries, more than %d", len(s.Clock), MaxClockEntries)
	}
	if err := s.Validate(i.Policy); err != nil {
		return err.Error()
	}
	write := &s.Siblings[0]
	switch {
	case len(write.Value) > MaxValueBytes:
		return fmt.Sprintf("has a value of %d bytes, more than %d", len(write.Value), MaxValueBytes)
	case i.Policy == vclock.Causal && s.Clock.Stamp(write.Dot.Actor) != write.Dot.Stamp:
		return "has seen a later write of its own actor"
	case i.Op == Put && write.Tombstone:
		return "is a put's, and a tombstone"
	case i.Op == Delete && !write.Tombstone:
		return "is a delete's, and no tombstone"
	default:
		return ""
	}
}

// Validate returns nil, or an error that is ErrInvalid and joins a *FieldError for each
// field that breaks its rule.
func (r Result) Validate() error {
	var errs []error
	if r.Acked < 0 || r.Acked > maxResult {
		errs = append(errs, &FieldError{Field: "Result.Acked", Reason: fmt.Sprintf("%d is not in 0 to %d", r.Acked, maxResult)})
	}
	if r.Owners < 0 || r.Owners > maxResult {
		errs = append(errs, &FieldError{Field: "Result.Owners", Reason: fmt.Sprintf("%d is not in 0 to %d", r.Owners, maxResult)})
	}
	return errors.Join(errs...)
}

// CheckTTL returns nil if ttl is more than zero and at most MaxTTL, else a *FieldError
// for the field "TTL".
func CheckTTL(ttl time.Duration) error {
	if ttl <= 0 || ttl > MaxTTL {
		return &FieldError{Field: "TTL", Reason: fmt.Sprintf("%v is not in more than 0 to %v", ttl, MaxTTL)}
	}
	return nil
}
