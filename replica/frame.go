package replica

import (
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

const (
	// A batch ends at whichever comes first. The bytes keep a small operation from waiting
	// long for the batch before its own; one operation that is larger goes alone.
	maxBatchOps   = 512
	maxBatchBytes = 128 << 10

	// bulkBytes is the size from which on an operation goes by the second stream.
	bulkBytes = 32 << 10

	// Estimates of what an operation and a sibling take beside key, tenant and value.
	opOverhead      = 48
	siblingOverhead = 32
	entryBytes      = 16
)

// size estimates what op takes on the wire, from above where it matters.
func (op *Op) estimate() int {
	n := opOverhead + len(op.Tenant) + len(op.Key)
	if op.Kind == storagepb.Kind_MERGE {
		n += len(op.State.Clock) * entryBytes
		for i := range op.State.Siblings {
			n += siblingOverhead + len(op.State.Siblings[i].Value)
		}
	}
	return n
}

// A frame is one batch on its way out, as bytes.
type frame struct {
	out   wire.Frame
	ops   int
	bytes int // as estimated
}

func (f *frame) len() int { return f.ops }

// fits reports whether op may go with what is in the frame already.
func (f *frame) fits(op *Op) bool {
	return f.ops == 0 || f.ops < maxBatchOps && f.bytes+op.size <= maxBatchBytes
}

// add appends op.
func (f *frame) add(op *Op, id uint64, timeoutMillis uint32) {
	if f.out.Bytes == nil {
		f.out = wire.NewFrame()
	}
	m := wire.Operation{
		Id: id, Kind: op.Kind, Epoch: op.epoch, TimeoutMs: timeoutMillis,
		Tenant: op.Tenant, Policy: storagepb.Policy(op.Policy), Origin: op.Origin,
	}
	if op.Kind == storagepb.Kind_MERGE {
		m.State = op.State
	}
	f.out.Bytes = wire.AppendOperation(f.out.Bytes, &m, op.Key)
	f.ops++
	f.bytes += op.size
}

// reset makes room for the next batch.
func (f *frame) reset() {
	f.out.Free() // unless sending has taken the bytes
	f.ops, f.bytes = 0, 0
}
