package quorum

import (
	"errors"
	"fmt"
)

var (
	// ErrLevel is what a *LevelError is: the level cannot be had of that many
	// owners, whatever they answer.
	ErrLevel = errors.New("level cannot be reached")

	// ErrUnknownLevel is the cause when ParseLevel is given no level's name.
	ErrUnknownLevel = errors.New("unknown level")

	// ErrOwners is the cause when a request names a replica at or beyond
	// MaxOwners, or when a read's Order is not a permutation of its owners.
	ErrOwners = errors.New("invalid owners")
)

// A LevelError says which level could not be had of how many owners.
type LevelError struct {
	Level  Level
	Owners int
}

// Error names the level and the number of owners.
func (e *LevelError) Error() string {
	return fmt.Sprintf("level %s cannot be reached with %d owners", e.Level, e.Owners)
}

// Is reports whether target is ErrLevel.
func (e *LevelError) Is(target error) bool { return target == ErrLevel }
