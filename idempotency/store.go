package idempotency

import (
	"context"
	"time"

	"github.com/devrev/pairdb/vclock"
)

// A Store keeps the records of writes that carry an idempotency key. A record is begun
// with an intent, before anything is sent to a storage node, and completed with
// the result. In between, every call that meets it repeats the intent's very dot.
//
// Who calls: clients, on the goroutines of their requests, any number at once, in
// any number of processes. All that decides is done in the store in one atomic step;
// no method locks anything between two steps.
//
// Ownership: what a call is given it may read until it returns, and keeps nothing
// of; what it answers with is the caller's own. States are immutable once made (package
// vclock), so that a store in memory may share them.
//
// Time to live: ttl is more than zero and counts from the call that sets it. A
// record past it is absent. Stores round it up to what they can express, at most to
// the next second.
//
// Errors:
//   - ErrInvalid: the key, the intent or the ttl breaks a rule. Final.
//   - ErrDamaged: the record cannot be read: it was changed by hand, or is of a
//     version that this program does not know. It stays as it is.
//   - ErrFull: the store takes no further record.
//   - ErrReplaced, of Complete alone.
//   - ctx's error, if ctx ended first.
//   - Any other error says that the store could not be asked, or that it cannot be known whether
//     it did what was asked. Each call may be repeated: a Begin or a Replace whose
//     intent was stored by a first attempt is told that the record is its own.
//
// idempotencytest.Run checks the contract.
type Store interface {
	// Lookup returns the record of key, and whether there is one.
	Lookup(ctx context.Context, key Key) (rec Record, found bool, err error)

	// Begin records the intent if key has no record. It answers with the record
	// that is there then, and whether it is of the intent's own dot.
	Begin(ctx context.Context, key Key, intent Intent, ttl time.Duration) (rec Record, mine bool, err error)

	// Complete records the result of the intent. A record of the same dot becomes
	// finished, unless it is already: then it stays as it is. Where there is no
	// record (it was lost, or its time was over) the finished one is made anew. A
	// record of another dot is left alone, and the error is ErrReplaced. Else the
	// time to live begins again, that of a finished record too.
	Complete(ctx context.Context, key Key, intent Intent, result Result, ttl time.Duration) error

	// Replace puts intent in the place of an unfinished record whose dot is old, or
	// records it if key has no record. Where it does, the time to live begins again. It
	// answers as Begin does.
	Replace(ctx context.Context, key Key, old vclock.Dot, intent Intent, ttl time.Duration) (rec Record, mine bool, err error)
}
