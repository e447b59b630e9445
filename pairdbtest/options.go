package pairdbtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/tenant"
)

// Limits are what the cluster's nodes refuse. A zero field is its default, which
// is a real node's.
type Limits struct {
	MaxValueBytes int           // of one value: default 1 MiB, at most 16 MiB
	MaxSiblings   int           // of one key: default 64, at most 1,024
	Skew          time.Duration // how far ahead of a node's clock a write may be: default 1 min, at most 1 h
	Window        time.Duration // how old a write may be: default 10 min, from twice the skew to 24 h
}

// An Option configures Start and New.
type Option interface{ apply(*config) error }

type option func(*config) error

func (o option) apply(c *config) error { return o(c) }

type config struct {
	tenants    tenant.Reader
	zones      []string
	partitions int
	limits     Limits
	now        func() time.Time
	seed       uint64
}

// defaultPartitions is less than a real cluster's, so that a client opens
// quickly; MaxNodes nodes share it well enough.
const defaultPartitions = 64

func newConfig(opts []Option) (config, error) {
	c := config{
		tenants:    tenant.Any(),
		partitions: defaultPartitions,
		now:        time.Now,
		seed:       1,
	}
	for _, o := range opts {
		if o == nil {
			return c, errors.New("pairdbtest: an option is nil")
		}
		if err := o.apply(&c); err != nil {
			return c, fmt.Errorf("pairdbtest: %w", err)
		}
	}
	return c, nil
}

// Tenants says which tenants the clients know, and how many owners each one's
// keys have. Default: tenant.Any.
func Tenants(r tenant.Reader) Option {
	return option(func(c *config) error {
		if r == nil {
			return errors.New("option Tenants: nil")
		}
		c.tenants = r
		return nil
	})
}

// Zones puts the nodes into zones, in turn: n1 into the first, n2 into the
// second, and from the first again past the last. Default: none.
func Zones(names ...string) Option {
	return option(func(c *config) error {
		c.zones = names
		return nil
	})
}

// Partitions sets how many equal slices the token space has: a power of two.
// Default: 64.
func Partitions(n int) Option {
	return option(func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("option Partitions: %d", n)
		}
		c.partitions = n
		return nil
	})
}

// NodeLimits sets what the nodes refuse.
func NodeLimits(l Limits) Option {
	return option(func(c *config) error {
		c.limits = l
		return nil
	})
}

// Clock is the time that the nodes go by, each with its own skew on top. It is
// called from many goroutines. Default: time.Now, which is virtual in a bubble of
// testing/synctest.
func Clock(now func() time.Time) Option {
	return option(func(c *config) error {
		if now == nil {
			return errors.New("option Clock: nil")
		}
		c.now = now
		return nil
	})
}

// Seed decides store ids and the actors of planted siblings. Default: 1, so that
// every run has the same.
func Seed(seed uint64) Option {
	return option(func(c *config) error {
		c.seed = seed
		return nil
	})
}
