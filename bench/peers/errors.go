package peers

import (
	"errors"

	"github.com/devrev/pairdb/internal/testservers"
)

var (
	// ErrMissing says that a peer's program is not installed. The error that wraps it
	// says which, and how to get it.
	ErrMissing = testservers.ErrMissing

	// ErrNotFound is Get's answer for a key that was never put.
	ErrNotFound = errors.New("peers: not found")

	// ErrBroken says that too few servers are left to answer. The floors do not connect again.
	ErrBroken = errors.New("peers: the connection is broken")
)
