package pairdb

import "time"

// WithClock sets the time that a client goes by: for stamps and for expiry.
func WithClock(now func() time.Time) Option {
	return option(func(c *config) error { c.now = now; return nil })
}
