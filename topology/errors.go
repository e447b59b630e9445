package topology

import (
	"errors"
	"fmt"
)

// ErrInvalid says that a topology breaks a rule, may not follow the one before,
// or cannot be decoded. Asking again does not help until somebody has mended it.
var ErrInvalid = errors.New("invalid topology")

// A FieldError says what is wrong with one field of a Topology. It is an ErrInvalid.
type FieldError struct {
	Field  string // the Go name, as in "Nodes[2].Addr"
	Reason string // for people
}

func (e *FieldError) Error() string { return "topology: " + e.Field + ": " + e.Reason }

// Unwrap makes errors.Is(e, ErrInvalid) hold.
func (*FieldError) Unwrap() error { return ErrInvalid }

// A SyntaxError says where a topology's JSON is not as it must be. It is an ErrInvalid.
type SyntaxError struct {
	Line   int    // from 1, within the text that was decoded
	Reason string // for people
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("topology: line %d: %s", e.Line, e.Reason) }

// Unwrap makes errors.Is(e, ErrInvalid) hold.
func (*SyntaxError) Unwrap() error { return ErrInvalid }
