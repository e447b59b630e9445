package wire

import (
	"fmt"
	"testing"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// benchFrame is a frame of 64 writes of 100 bytes, or of as many reads.
func benchFrame(kind storagepb.Kind) (frame []byte) {
	for i := range uint64(64) {
		op := Operation{Id: 1<<20 + i, Kind: kind, Epoch: 7, TimeoutMs: 5_000, Tenant: "tenant"}
		if kind == storagepb.Kind_MERGE {
			dot := vclock.Dot{Actor: 0x123456789abcdef0, Stamp: vclock.StampOf(1_700_000_000_000, uint16(i))}
			op.State = vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: make([]byte, 100)})
		}
		frame = AppendOperation(frame, &op, fmt.Sprintf("key-%08d", i))
	}
	return frame
}

func BenchmarkReadOperations(b *testing.B) {
	for _, kind := range []storagepb.Kind{storagepb.Kind_MERGE, storagepb.Kind_READ_STATE} {
		b.Run(kind.String(), func(b *testing.B) {
			frame, f := benchFrame(kind), new(OperationsFrame)
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Read(frame); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/operation")
		})
	}
}
