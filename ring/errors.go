package ring

import "errors"

var (
	// ErrInvalid is matched by every error about a Config, a Node or the name
	// of a hash. The error is a *FieldError, which names the field.
	ErrInvalid = errors.New("ring: invalid")
	// ErrNoNodes means that New was given no node at all. It matches
	// ErrInvalid too.
	ErrNoNodes error = &FieldError{Field: "nodes", Reason: "there are none"}
	// ErrCollision means that vnode points were still equal after being hashed
	// again many times. It cannot happen with an intact hash.
	ErrCollision = errors.New("ring: vnode points keep colliding")
)

// FieldError says which field was refused, and why. It matches ErrInvalid.
type FieldError struct {
	Field  string // as in the source: "Partitions", "nodes[3].Weight"
	Reason string // for people
}

func (e *FieldError) Error() string { return "ring: " + e.Field + ": " + e.Reason }

// Is makes every FieldError match ErrInvalid.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }
