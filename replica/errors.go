package replica

import (
	"errors"
	"net"
	"os"

	grpcstatus "google.golang.org/grpc/status"
)

// Errors of Conn.Send, of Result.Err and of Health.Err, to be tested with
// errors.Is. Those that have a cause wrap it as well.
var (
	// ErrDown: the node cannot be reached. The operation was not sent.
	ErrDown = errors.New("node is down")

	// ErrBroken: the stream broke after the operation was handed to it. The node may have applied it.
	ErrBroken = errors.New("connection broke")

	// ErrExpired: the operation's deadline passed. Result.Handed tells whether
	// the node may have applied it.
	ErrExpired = errors.New("deadline passed")

	// ErrClosed: the Conn is closed, or was closed before the node answered.
	ErrClosed = errors.New("connection is closed")

	// ErrOverloaded: too many operations wait for room already, or a background operation would
	// have had to. It was not sent.
	ErrOverloaded = errors.New("too much in flight")

	// ErrInvalid: the operation is larger than MaxOpBytes, or its tenant is not UTF-8. It
	// would break the stream, so it was not sent.
	ErrInvalid = errors.New("operation cannot be sent")

	// ErrMalformed: the node answered with a state that breaks the rules of package
	// storagepb. It may have applied the operation.
	ErrMalformed = errors.New("malformed answer")

	// ErrMismatch: what answers at the address is another node, another cluster, or
	// speaks no protocol version of ours. A cause of ErrDown.
	ErrMismatch = errors.New("wrong node")
)

// A nodeError is one of the sentinels above, about one node.
type nodeError struct {
	node, addr string
	kind       error
	cause      error
}

func (e *nodeError) Error() string { return e.node + " (" + e.addr + "): " + e.Detail() }

// Detail is the text without the node, for those who have named it already.
func (e *nodeError) Detail() string {
	if errors.Is(e.kind, ErrDown) { // "connection refused" says enough
		return describe(e.cause)
	}
	return e.kind.Error() + ": " + describe(e.cause)
}

func (e *nodeError) Unwrap() []error { return []error{e.kind, e.cause} }

// describe gives the part of a cause that a person needs, without the address
// that the caller has said already.
func describe(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		err = op.Err
		if sys, ok := errors.AsType[*os.SyscallError](err); ok {
			err = sys.Err
		}
		return err.Error()
	}
	if s, ok := grpcstatus.FromError(err); ok {
		return s.Message()
	}
	return err.Error()
}
