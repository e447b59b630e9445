package idempotency

import "errors"

var (
	// ErrInvalid says that a key, an intent, a result or a time to live breaks a
	// rule. It wraps one FieldError per field.
	ErrInvalid = errors.New("invalid idempotency record")
	// ErrDamaged says that a stored record cannot be read.
	ErrDamaged = errors.New("damaged idempotency record")
	// ErrFull says that the store takes no further record.
	ErrFull = errors.New("the idempotency store is full")
	// ErrReplaced says that the record is of another write by now.
	ErrReplaced = errors.New("the idempotency record is of another write")
)

// A FieldError says what is wrong with one field. It is an ErrInvalid.
type FieldError struct {
	Field  string // the Go name, as in "Key.Token"
	Reason string // for people
}

func (e *FieldError) Error() string { return "idempotency: " + e.Field + ": " + e.Reason }

// Unwrap makes errors.Is(e, ErrInvalid) hold.
func (*FieldError) Unwrap() error { return ErrInvalid }
