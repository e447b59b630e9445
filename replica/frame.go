package replica

import (
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
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

// A frame is one batch on its way out. Its messages are used again and again, which gRPC
// allows: SendMsg has marshalled them when it returns, and keeps no
// reference (with retries off and no tracing, as here).
type frame struct {
	message storagepb.ClientFrame
	spare   []*storagepb.Operation // all ever made; the first len(message.Operations) are in use
	bytes   int
}

func (f *frame) len() int { return len(f.message.Operations) }

// fits reports whether op may go with what is in the frame already.
func (f *frame) fits(op *Op) bool {
	return f.len() == 0 || f.len() < maxBatchOps && f.bytes+op.size <= maxBatchBytes
}

// add appends op. What the message holds of op is copied, or immutable (State).
func (f *frame) add(op *Op, id uint64, timeoutMillis uint32) {
	n := f.len()
	if n == len(f.spare) {
		f.spare = append(f.spare, &storagepb.Operation{})
	}
	m := f.spare[n]
	m.Id = id
	m.Kind = op.Kind
	m.Epoch = op.epoch
	m.TimeoutMs = timeoutMillis
	m.Tenant = op.Tenant
	m.Key = append(m.Key[:0], op.Key...)
	m.Policy = storagepb.Policy(op.Policy)
	m.Origin = op.Origin
	if op.Kind == storagepb.Kind_MERGE {
		m.State = fillState(m.State, op.State)
	} else {
		m.State = nil
	}
	f.message.Operations = f.spare[:n+1]
	f.bytes += op.size
}

// reset empties the frame, and lets go of the values.
func (f *frame) reset() {
	for _, m := range f.message.Operations {
		if m.State != nil {
			for _, s := range m.State.Siblings {
				s.Value = nil
			}
			if cap(m.State.Siblings) > 4 || cap(m.State.ClockActors) > 64 {
				m.State = nil // a rare large one is not kept
			}
		}
	}
	f.message.Operations = nil
	f.bytes = 0
}

// fillState makes m say what s is, in the messages that m has already.
func fillState(m *storagepb.State, s vclock.State) *storagepb.State {
	if m == nil {
		m = &storagepb.State{}
	}
	m.ClockActors, m.ClockStamps = m.ClockActors[:0], m.ClockStamps[:0]
	for _, d := range s.Clock {
		m.ClockActors = append(m.ClockActors, uint64(d.Actor))
		m.ClockStamps = append(m.ClockStamps, uint64(d.Stamp))
	}
	made := m.Siblings[:cap(m.Siblings)]
	m.Siblings = m.Siblings[:0]
	for i := range s.Siblings {
		var p *storagepb.Sibling
		if i < len(made) {
			p = made[i]
		}
		if p == nil {
			p = &storagepb.Sibling{}
		}
		from := &s.Siblings[i]
		p.Actor, p.Stamp = uint64(from.Dot.Actor), uint64(from.Dot.Stamp)
		p.Value, p.Tombstone, p.ExpiresMs = from.Value, from.Tombstone, from.Expires
		m.Siblings = append(m.Siblings, p)
	}
	return m
}
