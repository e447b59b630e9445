package testservers

import (
	"errors"
	"fmt"
)

// ErrMissing says that a server's program is not installed. The error that wraps it
// says which, and how to get it.
var ErrMissing = errors.New("the program is not installed")

var errPortTaken = errors.New("another process has the port")

func missing(program, debianPackage string) error {
	return fmt.Errorf("testservers: %s: %w: apt-get install %s (as root), or put it into PATH", program, ErrMissing, debianPackage)
}
