package idempotencytest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/devrev/pairdb/idempotency"
)

const (
	// patience bounds what a correct store does at once, so that one that never
	// answers fails its test. No test is about time.
	patience = 30 * time.Second
	// long is a time to live that no test outlives.
	long = time.Hour
)

// NewStore makes a store. It is called once per case, and what it makes may share its records
// with stores that it made before: every case has keys of its own. Some thousands of
// records are written in all.
type NewStore func(t *testing.T) idempotency.Store

// An Option changes how Run goes about it.
type Option func(*settings)

type settings struct {
	bubble bool
}

// InBubble runs each case in a bubble of testing/synctest, newStore included, so that no time to live
// is waited for. For stores that do no I/O and go by package time. Default: the
// cases of time to live take some seconds.
func InBubble() Option { return func(s *settings) { s.bubble = true } }

// Run checks that the stores of newStore keep the contract of idempotency.Store.
func Run(t *testing.T, newStore NewStore, opts ...Option) {
	t.Helper()
	var s settings
	for _, opt := range opts {
		opt(&s)
	}
	for _, c := range slices.Concat(begins, completes, replaces, forms, keys, inputs, lives, races, models) {
		t.Run(c.name, func(t *testing.T) {
			run := func(t *testing.T) { c.run(t, &fixture{Store: newStore(t)}) }
			if s.bubble {
				synctest.Test(t, run)
			} else {
				run(t)
			}
		})
	}
}

type storeCase struct {
	name string
	run  func(*testing.T, *fixture)
}
