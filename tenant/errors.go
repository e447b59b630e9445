package tenant

import (
	"errors"
	"fmt"
)

var (
	// ErrNotFound says that there is no tenant of that id. It is final: the
	// request is refused before anything is sent.
	ErrNotFound = errors.New("tenant not found")

	// ErrInvalid says that an id or a config breaks a rule; it wraps one
	// FieldError per field.
	ErrInvalid = errors.New("invalid tenant")

	// ErrExists says that the id is in use, or was in use by a tenant that has been deleted.
	ErrExists = errors.New("tenant exists")

	// ErrVersion says that the tenant has been changed since it was read: read it
	// again, and decide anew. It comes as a *VersionError.
	ErrVersion = errors.New("tenant version conflict")

	// ErrImmutable says that a field cannot be changed while the tenant has keys. It comes
	// as a *FieldError for each such field.
	ErrImmutable = errors.New("immutable")

	// ErrReadOnly says that the tenants of a Reader that is no Store cannot be managed.
	ErrReadOnly = errors.New("tenants cannot be managed here")

	// ErrClosed says that the Cache was closed before it could ask.
	ErrClosed = errors.New("tenant cache closed")
)

// A VersionError says which version a change was based on, and which there is. It is an ErrVersion.
type VersionError struct {
	ID         string
	Given, Has uint64
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("tenant %q: version conflict: it has version %d, the change is based on %d", e.ID, e.Has, e.Given)
}

// Unwrap makes errors.Is(e, ErrVersion) hold.
func (*VersionError) Unwrap() error { return ErrVersion }

// A FieldError says what is wrong with one field of a Config. It is an ErrInvalid, or where a
// change was asked for that is not possible, an ErrImmutable.
type FieldError struct {
	Field  string // the Go name, as in "Limits.MaxValueBytes"
	Reason string // for people
	Kind   error  // ErrImmutable; nil is ErrInvalid
}

func (e *FieldError) Error() string { return "tenant: " + e.Field + ": " + e.Reason }

// Unwrap returns the kind.
func (e *FieldError) Unwrap() error {
	if e.Kind == nil {
		return ErrInvalid
	}
	return e.Kind
}
