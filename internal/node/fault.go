package node

import (
	"context"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// A Fault is what an Interceptor does to an operation. The zero Fault does nothing.
type Fault struct {
	Drop   bool             // the operation ends here and is never answered
	Status storagepb.Status // unless zero, it ends here with this status
	Detail string
}

// An Interceptor sees every operation of a server twice and may hold it up, by
// not returning, refuse it, or drop its answer. With an interceptor each
// operation runs in a goroutine of its own, so that one which is held up holds
// up no other; ctx ends with the stream or with the server.
type Interceptor interface {
	// Before runs before anything is read or applied.
	Before(ctx context.Context, op *wire.Operation) Fault
	// After runs when answer could leave: a merge is applied and on disk.
	After(ctx context.Context, op *wire.Operation, answer *wire.Answer) Fault
}
