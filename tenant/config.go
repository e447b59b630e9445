package tenant

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/vclock"
)

const (
	// MaxIDLen bounds a tenant id, in bytes.
	MaxIDLen = 128

	// DefaultReplicas is N where a config leaves it out: the least that outlives
	// one lost node and still has a majority.
	DefaultReplicas = 3

	// MaxReplicas bounds N. A request's replicas, two owner sets of them during a
	// topology change, have to fit quorum.MaxOwners.
	MaxReplicas = quorum.MaxOwners / 2

	// MaxValueBytes bounds Limits.MaxValueBytes: 16 MiB, the largest value
	// that any client may be opened for.
	MaxValueBytes = 16 << 20
)

// A Config says how one tenant's keys are replicated. It is a plain value:
// copies are independent.
type Config struct {
	// ID is 1 to MaxIDLen of [A-Za-z0-9._-]. Upper and lower case differ.
	ID string
	// Replicas is N, the owners of each key: 1 to MaxReplicas. It never follows the
	// number of nodes, and a cluster of fewer nodes refuses the tenant's requests.
	// Static and AnyWith take 0 for DefaultReplicas. It cannot be changed (invariant 3).
	Replicas int
	// Read and Write are the levels of requests that name none.
	// quorum.Default, the zero value, leaves it to the client.
	Read, Write quorum.Level
	// Policy is what becomes of concurrent writes: vclock.Causal, the zero value,
	// keeps them. It cannot be changed (invariant 3).
	Policy vclock.Policy
	// Limits narrow what the client allows.
	Limits Limits

	// Version counts the changes of the config from 1. 0 says that it is not kept
	// in a store.
	Version uint64
	// Created and Updated are when a store took the first and the current version.
	// Zero where there is no store.
	Created, Updated time.Time
}

// Limits bound one tenant's requests. The zero Limits are the client's own.
type Limits struct {
	// MaxValueBytes is the largest value, at most MaxValueBytes; 0 is the
	// client's limit. It cannot raise the client's limit, only lower it.
	MaxValueBytes int
}

// Validate returns nil, or an error that is ErrInvalid and joins a *FieldError for each
// field that breaks its rule.
func (c Config) Validate() error {
	var errs []error
	wrong := func(field, format string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)})
	}

	if err := ValidID(c.ID); err != nil {
		errs = append(errs, err)
	}
	if c.Replicas < 1 || c.Replicas > MaxReplicas {
		wrong("Replicas", "%d is not in 1 to %d", c.Replicas, MaxReplicas)
	} else {
		checkLevel(c.Read, c.Replicas, "Read", wrong)
		checkLevel(c.Write, c.Replicas, "Write", wrong)
	}
	if c.Policy != vclock.Causal && c.Policy != vclock.LastWriteWins {
		wrong("Policy", "%d is no policy", uint8(c.Policy))
	}
	if c.Limits.MaxValueBytes < 0 || c.Limits.MaxValueBytes > MaxValueBytes {
		wrong("Limits.MaxValueBytes", "%d is not in 0 to %d", c.Limits.MaxValueBytes, MaxValueBytes)
	}
	return errors.Join(errs...)
}

// checkLevel holds invariant 2.
func checkLevel(level quorum.Level, replicas int, field string, wrong func(string, string, ...any)) {
	if level == quorum.Default {
		return
	}
	if level > quorum.All {
		wrong(field, "%d is no level", uint8(level))
		return
	}
	if need, ok := level.Need(replicas); !ok {
		wrong(field, "needs %d of %d replicas", need, replicas)
	}
}

// ValidID returns nil if id may name a tenant, else a *FieldError for the field
// "ID". It does not allocate for a valid id.
func ValidID(id string) error {
	if id == "" {
		return &FieldError{Field: "ID", Reason: "is empty"}
	}
	if len(id) > MaxIDLen {
		return &FieldError{Field: "ID", Reason: fmt.Sprintf("has %d bytes, more than %d", len(id), MaxIDLen)}
	}
	for i := range len(id) {
		if !idByte(id[i]) {
			return &FieldError{Field: "ID", Reason: fmt.Sprintf("%q has a byte outside [A-Za-z0-9._-] at %d", id, i)}
		}
	}
	return nil
}

func idByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' ||
		b == '.' || b == '_' || b == '-'
}
