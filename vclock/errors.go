package vclock

import (
	"errors"
	"fmt"
)

var (
	// ErrMalformed is the cause when bytes, or a value made by hand, are not what
	// this package would have made: damaged, truncated, out of order, or of a
	// version that it does not know. The error that wraps it says what is wrong.
	ErrMalformed = errors.New("malformed")

	// ErrForeignContext is the cause when a Context is used for another cluster,
	// tenant or key than the one that it was read from.
	ErrForeignContext = errors.New("context belongs to another key")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}
