package redis

import (
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// DefaultPrefix begins the keys of all records.
	DefaultPrefix = "pairdb:idem:"
	// MaxPrefixBytes bounds a prefix.
	MaxPrefixBytes = 128
)

// An Option changes what New does by default.
type Option interface{ apply(*Store) error }

type option func(*Store) error

func (o option) apply(s *Store) error { return o(s) }

// Prefix begins the keys of all records, so that they can be told from what else the server
// holds: 1 to MaxPrefixBytes of printable ASCII without spaces and braces. (Braces would put all records into
// one slot of a cluster.) All processes that share records use the same. The default is DefaultPrefix.
func Prefix(prefix string) Option {
	return option(func(s *Store) error {
		if reason := prefixReason(prefix); reason != "" {
			return fmt.Errorf("idempotency/redis: Prefix: %s", reason)
		}
		s.prefix = prefix
		return nil
	})
}

func prefixReason(prefix string) string {
	switch {
	case prefix == "":
		return "is empty"
	case len(prefix) > MaxPrefixBytes:
		return fmt.Sprintf("has %d bytes, more than %d", len(prefix), MaxPrefixBytes)
	}
	for i := range len(prefix) {
		if b := prefix[i]; b <= ' ' || b > '~' || b == '{' || b == '}' {
			return fmt.Sprintf("%q has a byte at %d that is a space, a brace or no printable ASCII", prefix, i)
		}
	}
	return ""
}

// AllowEviction leaves out the question whether the server evicts keys. A record that was evicted is a lost
// one: the retry of its write is a second write. The default is to refuse such a server with ErrEvicting.
func AllowEviction() Option {
	return option(func(s *Store) error {
		s.allowEviction = true
		return nil
	})
}

var (
	errNoClient  = errors.New("idempotency/redis: New: client is nil")
	errNoTimeout = errors.New("idempotency/redis: New: set ContextTimeoutEnabled in the client's options: " +
		"without it a call outlasts its context, so that a server which hangs holds up each write by the client's own timeouts and retries")
)

// checkTimeout refuses a client of go-redis whose calls do not end with their context. It cannot look into
// other implementations.
func checkTimeout(client goredis.UniversalClient) error {
	enabled := true
	switch c := client.(type) {
	case *goredis.Client:
		enabled = c.Options().ContextTimeoutEnabled
	case *goredis.ClusterClient:
		enabled = c.Options().ContextTimeoutEnabled
	case *goredis.Ring:
		enabled = c.Options().ContextTimeoutEnabled
	}
	if !enabled {
		return errNoTimeout
	}
	return nil
}
