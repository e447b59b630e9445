package tenant

import "errors"

var (
	// ErrNotFound says that there is no tenant of that id. It is final: the
	// request is refused before anything is sent.
	ErrNotFound = errors.New("tenant not found")

	// ErrInvalid says that an id or a config breaks a rule; it wraps one
	// FieldError per field.
	ErrInvalid = errors.New("invalid tenant")
)

// A FieldError says what is wrong with one field of a Config. It is an ErrInvalid.
type FieldError struct {
	Field  string // the Go name, as in "Limits.MaxValueBytes"
	Reason string // for people
}

func (e *FieldError) Error() string { return "tenant: " + e.Field + ": " + e.Reason }

// Unwrap makes errors.Is(e, ErrInvalid) hold.
func (*FieldError) Unwrap() error { return ErrInvalid }
