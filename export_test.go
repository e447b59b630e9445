package pairdb

// WithClockReadAtReadLevel switches off the rule that interleaving 3 is about:
// the clock read before a Put without a context happens at the larger of the two levels.
func WithClockReadAtReadLevel() Option {
	return option(func(c *config) error { c.rules.clockReadAtReadLevel = true; return nil })
}
