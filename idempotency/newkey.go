package idempotency

import "crypto/rand"

// NewKey makes a token for pairdb.WithIdempotencyKey, for those who have none of their own
// (the id of the order, of the message, of the HTTP header): 26 characters of [A-Z2-7] that
// carry at least 128 bits from crypto/rand, so that no two are ever the same.
//
// Make it once per thing to be done, and keep it where the retry finds it: a token that
// is made anew for each attempt protects against nothing.
func NewKey() string { return rand.Text() }
