package pairdb

import "time"

// WithClockReadAtReadLevel switches off the rule that interleaving 3 is about:
// the clock read before a Put without a context happens at the larger of the two levels.
func WithClockReadAtReadLevel() Option {
	return option(func(c *config) error { c.rules.clockReadAtReadLevel = true; return nil })
}

// WithOneLane switches off the rule that interleaving 2 is about: a write whose context does
// not cover the coordinator's last dot takes another lane.
func WithOneLane() Option {
	return option(func(c *config) error { c.rules.oneLane = true; return nil })
}

// WithSettlingByOwnClock switches off the rule that interleaving 9 is about: the nodes say
// that a write is too old, not the coordinator.
func WithSettlingByOwnClock() Option {
	return option(func(c *config) error { c.rules.settleByOwnClock = true; return nil })
}

// WithReplaysThatCoverAnew switches off the rule that interleaving 10 is about: a replay covers
// what was recorded, and nothing that was written since.
func WithReplaysThatCoverAnew() Option {
	return option(func(c *config) error { c.rules.replayCoversAnew = true; return nil })
}

// WithNow gives the client another clock.
func WithNow(now func() time.Time) Option {
	return option(func(c *config) error { c.now = now; return nil })
}
