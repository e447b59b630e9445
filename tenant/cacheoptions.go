package tenant

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Defaults and bounds of a Cache.
const (
	// DefaultCacheSize is how many tenants a Cache holds unless CacheSize says otherwise.
	DefaultCacheSize = 10_000
	// MaxCacheSize bounds CacheSize. A tenant takes about half a kilobyte.
	MaxCacheSize = 10_000_000

	// DefaultCacheTTL is how old a config grows before it is asked for anew, unless CacheTTL
	// says otherwise.
	DefaultCacheTTL = time.Minute
	// MinCacheTTL and MaxCacheTTL bound CacheTTL.
	MinCacheTTL = 100 * time.Millisecond
	MaxCacheTTL = 24 * time.Hour

	// DefaultUnknownTTL is how long it is remembered that there is no such tenant, unless
	// UnknownTTL says otherwise.
	DefaultUnknownTTL = 5 * time.Second
	// MaxUnknownTTL bounds UnknownTTL.
	MaxUnknownTTL = time.Hour

	// DefaultLoadTimeout bounds one question to the store, unless LoadTimeout says otherwise.
	DefaultLoadTimeout = 2 * time.Second
	// MinLoadTimeout and MaxLoadTimeout bound LoadTimeout.
	MinLoadTimeout = time.Millisecond
	MaxLoadTimeout = time.Minute
)

// A CacheOption configures NewCache.
type CacheOption interface{ apply(*cacheConfig) }

type cacheOption func(*cacheConfig)

func (o cacheOption) apply(c *cacheConfig) { o(c) }

type cacheConfig struct {
	size        int
	ttl         time.Duration
	unknownTTL  time.Duration
	loadTimeout time.Duration
	onStale     []func(Stale)
	log         *slog.Logger
}

// CacheSize bounds how many tenants are held: 1 to MaxCacheSize, default DefaultCacheSize. Past
// it, who was not asked for the longest time is forgotten, and is not a known tenant from
// then on. Give it room for all that are in use.
func CacheSize(n int) CacheOption { return cacheOption(func(c *cacheConfig) { c.size = n }) }

// CacheTTL is how old a config grows before a Get waits for a younger one: MinCacheTTL to
// MaxCacheTTL, default DefaultCacheTTL, 10 % more or less by chance, so that what was
// loaded together is not due together. From three quarters of it on, the
// config is refreshed in the background when it is asked for.
func CacheTTL(d time.Duration) CacheOption { return cacheOption(func(c *cacheConfig) { c.ttl = d }) }

// UnknownTTL is how long it is remembered that there is no tenant of an id: 0, for not at all, to
// MaxUnknownTTL, default DefaultUnknownTTL. Where the store is no Watcher, that is also how
// long a tenant that another process created may be refused here.
func UnknownTTL(d time.Duration) CacheOption {
	return cacheOption(func(c *cacheConfig) { c.unknownTTL = d })
}

// LoadTimeout bounds one question to the store: MinLoadTimeout to MaxLoadTimeout, default
// DefaultLoadTimeout.
func LoadTimeout(d time.Duration) CacheOption {
	return cacheOption(func(c *cacheConfig) { c.loadTimeout = d })
}

// OnStale adds a listener, as NotifyStale does. Default: none.
func OnStale(listener func(Stale)) CacheOption {
	return cacheOption(func(c *cacheConfig) { c.onStale = append(c.onStale, listener) })
}

// LogTo logs broken watches and answers of the store that cannot be right. Default: nothing is logged.
func LogTo(log *slog.Logger) CacheOption { return cacheOption(func(c *cacheConfig) { c.log = log }) }

func newCacheConfig(opts []CacheOption) (cacheConfig, error) {
	c := cacheConfig{
		size:        DefaultCacheSize,
		ttl:         DefaultCacheTTL,
		unknownTTL:  DefaultUnknownTTL,
		loadTimeout: DefaultLoadTimeout,
		log:         slog.New(slog.DiscardHandler),
	}
	for _, opt := range opts {
		if opt == nil {
			return c, &FieldError{Field: "CacheOption", Reason: "is nil"}
		}
		opt.apply(&c)
	}
	err := c.validate()
	return c, err
}

func (c *cacheConfig) validate() error {
	var errs []error
	wrong := func(option, format string, args ...any) {
		errs = append(errs, &FieldError{Field: option, Reason: fmt.Sprintf(format, args...)})
	}
	within := func(option string, d time.Duration, bounds [2]time.Duration) {
		if d < bounds[0] || d > bounds[1] {
			wrong(option, "%v is not in %v to %v", d, bounds[0], bounds[1])
		}
	}
	if c.size < 1 || c.size > MaxCacheSize {
		wrong("CacheSize", "%d is not in 1 to %d", c.size, MaxCacheSize)
	}
	within("CacheTTL", c.ttl, [2]time.Duration{MinCacheTTL, MaxCacheTTL})
	within("UnknownTTL", c.unknownTTL, [2]time.Duration{0, MaxUnknownTTL})
	within("LoadTimeout", c.loadTimeout, [2]time.Duration{MinLoadTimeout, MaxLoadTimeout})
	for _, listener := range c.onStale {
		if listener == nil {
			wrong("OnStale", "is nil")
		}
	}
	if c.log == nil {
		wrong("LogTo", "is nil")
	}
	return errors.Join(errs...)
}
