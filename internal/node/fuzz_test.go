package node

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// Whatever arrives is answered, once, with its own id and a status, and leaves
// nothing behind that cannot be read again.
func FuzzOperation(f *testing.F) {
	for _, op := range []*wire.Operation{
		write("k", at(1, 0), nil, "v"), writeLast("k", at(1, 0), "v"), read("k", storagepb.Kind_READ_DIGEST), {},
	} {
		b, err := proto.Marshal(frameOf(op).Operations[0])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ops, _, err := wire.Operations(protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), b), nil)
		if err != nil {
			return
		}
		op := &ops[0]
		c := open(t, NewMemory(), Config{})
		id, kind := op.Id, op.Kind
		a := c.Do(op)
		if a.Id != id || a.Status == storagepb.Status_STATUS_UNSPECIFIED {
			t.Fatalf("answer %v", a)
		}
		if kind != storagepb.Kind_MERGE || a.Status != storagepb.Status_OK {
			return
		}
		op.Kind = storagepb.Kind_READ_STATE
		if r := c.Do(op); r.Status != storagepb.Status_OK || len(r.State.Siblings) == 0 {
			t.Fatalf("merged, then read: %v", r)
		}
	})
}
