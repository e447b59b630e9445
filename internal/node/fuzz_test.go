package node

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/storagepb"
)

// Whatever arrives is answered, once, with its own id and a status, and leaves
// nothing behind that cannot be read again.
func FuzzOperation(f *testing.F) {
	for _, op := range []*storagepb.Operation{
		write("k", at(1, 0), nil, "v"), writeLast("k", at(1, 0), "v"), read("k", storagepb.Kind_READ_DIGEST), {},
	} {
		b, err := proto.Marshal(op)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		op := new(storagepb.Operation)
		if proto.Unmarshal(b, op) != nil {
			return
		}
		c := open(t, NewMemory(), Config{})
		id, kind := op.GetId(), op.GetKind()
		a := c.Do(op)
		if a.GetId() != id || a.GetStatus() == storagepb.Status_STATUS_UNSPECIFIED {
			t.Fatalf("answer %v", a)
		}
		if kind != storagepb.Kind_MERGE || a.GetStatus() != storagepb.Status_OK {
			return
		}
		op.Kind = storagepb.Kind_READ_STATE
		if r := c.Do(op); r.GetStatus() != storagepb.Status_OK || len(r.GetState().GetSiblings()) == 0 {
			t.Fatalf("merged, then read: %v", r)
		}
	})
}
