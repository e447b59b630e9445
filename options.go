package pairdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

// Bounds and defaults of a client.
const (
	// DefaultTimeout bounds a call whose context has no deadline.
	DefaultTimeout = 5 * time.Second
	// MaxKeyBytes bounds a key; the least is 1.
	MaxKeyBytes = 1024
	// DefaultMaxValueBytes bounds a value unless WithLimits says otherwise.
	DefaultMaxValueBytes = 1 << 20
	// MaxMaxValueBytes bounds what WithLimits may allow.
	MaxMaxValueBytes = 16 << 20
	// MaxBatch bounds the keys of one GetMany or PutMany.
	MaxBatch = 10_000

	defaultKeyMemory = 131_072          // keys whose last dots are remembered
	defaultTail      = 10 * time.Second // how long an owner may take to acknowledge after the call returned
	defaultMaxSkew   = time.Minute      // how far ahead of our clock a stamp that we read may pull it
)

// Levels are the default levels of a client; zero fields are Quorum.
type Levels struct{ Read, Write Level }

// Limits bound what a client sends and remembers; zero fields are the defaults.
type Limits struct {
	// MaxValueBytes bounds a value: default 1 MiB, at most 16 MiB.
	MaxValueBytes int
	// KeyMemory bounds the keys whose last dots are remembered: default 131,072, of some 200 bytes each. Past it
	// the keys that were not written for the longest time are forgotten, which costs
	// an entry in their clocks, never a value.
	KeyMemory int
	// MaxInFlight bounds the unanswered operations per node: default 4,096. Some 3,000 more may wait for room. Calls
	// beyond that, and for three seconds those beyond a quarter of MaxInFlight, are refused at once with an
	// OverloadError where too few owners are left for their level. Raise it where a quarter is
	// less than a node answers in one round trip.
	MaxInFlight int
	// MaxInFlightBytes bounds their size per node: default 32 MiB.
	MaxInFlightBytes int
}

// An Option configures Open.
type Option interface{ apply(*config) error }

type option func(*config) error

func (o option) apply(c *config) error { return o(c) }

type config struct {
	tenants tenant.Reader
	once    onceConfig
	levels  Levels
	resolve Resolver
	timeout time.Duration
	zone    string
	limits  Limits
	hooks   hooks
	log     *slog.Logger
	dial    func(ctx context.Context, addr string) (net.Conn, error)
	tls     *tls.Config
	grpc    bool
	random  func() uint64
	now     func() time.Time // for stamps and expiry; nil is the system's
	rules   rules
}

// rules are the safety rules that regression tests switch off, one at a time,
// to see that the case which they prevent comes back.
type rules struct {
	clockReadAtReadLevel bool // interleaving 3
	oneLane              bool // interleaving 2
	settleByOwnClock     bool // interleaving 9
	replayCoversAnew     bool // interleaving 10
}

func defaults() config {
	return config{
		tenants: tenant.Any(),
		levels:  Levels{Read: quorum.Quorum, Write: quorum.Quorum},
		resolve: LatestWrite,
		timeout: DefaultTimeout,
		limits:  Limits{MaxValueBytes: DefaultMaxValueBytes, KeyMemory: defaultKeyMemory},
		log:     slog.New(slog.DiscardHandler),
		random:  rand.Uint64,
	}
}

// time is what stamps and expiry go by.
func (c *config) time() time.Time {
	if c.now == nil {
		return time.Now()
	}
	return c.now()
}

func newConfig(opts []Option) (config, error) {
	c := defaults()
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, &InputError{Field: "Option", Reason: "nil"})
			continue
		}
		if err := o.apply(&c); err != nil {
			errs = append(errs, err)
		}
	}
	return c, errors.Join(errs...)
}

// WithTenants says which tenants exist and how each is replicated. A reader that does not
// answer from memory by itself (see tenant.Immediate and tenant.AtHand), such as a
// database, is put behind a tenant.Cache with its defaults, so that it is not on the path of
// requests; make the Cache yourself to choose its bounds. Default: tenant.Any, every
// valid id with N = 3, the client's levels and Causal.
func WithTenants(r tenant.Reader) Option {
	return option(func(c *config) error {
		if r == nil {
			return &InputError{Field: "WithTenants", Reason: "nil"}
		}
		c.tenants = r
		return nil
	})
}

// WithIdempotency gives the client the store that WithIdempotencyKey needs. While the
// store cannot be asked, writes with a key fail with ErrNotApplied before anything is sent
// to a node; other calls do not use it. Default: none, and WithIdempotencyKey is an InputError.
func WithIdempotency(store idempotency.Store, opts ...IdempotencyOption) Option {
	return option(func(c *config) error {
		if store == nil {
			return &InputError{Field: "WithIdempotency", Reason: "nil"}
		}
		c.once = onceConfig{store: store, ttl: DefaultIdempotencyTTL, timeout: DefaultIdempotencyTimeout}
		for _, o := range opts {
			if o == nil {
				return &InputError{Field: "WithIdempotency", Reason: "an option is nil"}
			}
			if err := o.applyOnce(&c.once); err != nil {
				return err
			}
		}
		return nil
	})
}

// WithLevels sets the levels of calls that name none, for tenants that name
// none. Default: Quorum for both.
func WithLevels(l Levels) Option {
	return option(func(c *config) error {
		for _, level := range []Level{l.Read, l.Write} {
			if level > quorum.All {
				return &InputError{Field: "WithLevels", Reason: fmt.Sprintf("%v is no level", level)}
			}
		}
		if l.Read != quorum.Default {
			c.levels.Read = l.Read
		}
		if l.Write != quorum.Default {
			c.levels.Write = l.Write
		}
		return nil
	})
}

// WithResolver sets how conflicting siblings become one value. Default: LatestWrite.
func WithResolver(r Resolver) Option {
	return option(func(c *config) error {
		if r == nil {
			return &InputError{Field: "WithResolver", Reason: "nil"}
		}
		c.resolve = r
		return nil
	})
}

// WithTimeout bounds calls whose context has no deadline. Default: 5 s.
func WithTimeout(d time.Duration) Option {
	return option(func(c *config) error {
		if d <= 0 {
			return &InputError{Field: "WithTimeout", Reason: "must be more than zero"}
		}
		c.timeout = d
		return nil
	})
}

// WithZone names the zone of this process: reads prefer owners in it. Default: none.
func WithZone(zone string) Option {
	return option(func(c *config) error { c.zone = zone; return nil })
}

// WithLimits sets bounds; zero fields keep their defaults.
func WithLimits(l Limits) Option {
	return option(func(c *config) error {
		switch {
		case l.MaxValueBytes < 0 || l.MaxValueBytes > MaxMaxValueBytes:
			return &InputError{Field: "WithLimits.MaxValueBytes", Reason: fmt.Sprintf("must be 1 to %d bytes", MaxMaxValueBytes)}
		case l.KeyMemory < 0, l.MaxInFlight < 0, l.MaxInFlightBytes < 0:
			return &InputError{Field: "WithLimits", Reason: "a bound cannot be negative"}
		}
		if l.MaxValueBytes == 0 {
			l.MaxValueBytes = DefaultMaxValueBytes
		}
		if l.KeyMemory == 0 {
			l.KeyMemory = defaultKeyMemory
		}
		c.limits = l
		return nil
	})
}

// WithHooks adds hooks, called in the order given.
func WithHooks(hs ...Hook) Option {
	return option(func(c *config) error {
		for _, h := range hs {
			if err := c.hooks.add(h); err != nil {
				return err
			}
		}
		return nil
	})
}

// WithLogger makes the client log: node and topology changes at Info and Warn.
// Default: silent.
func WithLogger(l *slog.Logger) Option {
	return option(func(c *config) error {
		if l == nil {
			return &InputError{Field: "WithLogger", Reason: "nil"}
		}
		c.log = l
		return nil
	})
}

// WithDialer replaces TCP as the way to a node's address. It must respect ctx and is called
// from one goroutine per node.
func WithDialer(dial func(ctx context.Context, addr string) (net.Conn, error)) Option {
	return option(func(c *config) error {
		if dial == nil {
			return &InputError{Field: "WithDialer", Reason: "nil"}
		}
		c.dial = dial
		return nil
	})
}

// WithTLS encrypts connections to nodes; the config is cloned. Default: plaintext.
func WithTLS(t *tls.Config) Option {
	return option(func(c *config) error {
		if t == nil {
			return &InputError{Field: "WithTLS", Reason: "nil"}
		}
		c.tls = t.Clone()
		return nil
	})
}

// WithGRPC speaks gRPC to the nodes and nothing else: for proxies and meshes that pass HTTP/2 only. Default: plain
// connections of frames, which cost both ends far less (storagepb/storage.proto tells them), and gRPC
// to what does not answer those. NodeHealth.Transport tells which it is.
func WithGRPC() Option {
	return option(func(c *config) error {
		c.grpc = true
		return nil
	})
}
