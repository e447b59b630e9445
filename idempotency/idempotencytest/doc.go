// Package idempotencytest holds the conformance suite of idempotency.Store: every
// implementation, of this module or a user's own, calls Run in one line.
package idempotencytest
