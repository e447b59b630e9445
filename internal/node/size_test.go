package node

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// Whatever a frame is filled with, fields that nobody knows included, its operations count
// for no less than it took on the wire: they keep all of it in memory.
func TestTheOperationsOfAFrameCountForAllOfItsBytes(t *testing.T) {
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 300)
	stamps := rapid.SliceOfN(rapid.Uint64(), 0, 60)
	pad := func(t *rapid.T, m proto.Message) {
		unknown := protowire.AppendTag(nil, 1000, protowire.BytesType)
		m.ProtoReflect().SetUnknown(protoreflect.RawFields(protowire.AppendBytes(unknown, bytes.Draw(t, "unknown"))))
	}
	rapid.Check(t, func(t *rapid.T) {
		frame := new(storagepb.ClientFrame)
		for range rapid.IntRange(1, 3).Draw(t, "operations") {
			sibling := &storagepb.Sibling{Actor: rapid.Uint64().Draw(t, "actor"), Stamp: 1, Value: bytes.Draw(t, "value"), Tombstone: true, ExpiresMs: -1}
			state := &storagepb.State{
				ClockActors: stamps.Draw(t, "actors"), ClockStamps: stamps.Draw(t, "stamps"),
				Siblings: []*storagepb.Sibling{sibling},
			}
			op := &storagepb.Operation{
				Id: rapid.Uint64().Draw(t, "id"), Kind: storagepb.Kind_MERGE, Epoch: 1 << 63, TimeoutMs: 1 << 31,
				Tenant: rapid.StringN(0, 300, 600).Draw(t, "tenant"), Key: bytes.Draw(t, "key"),
				Origin: storagepb.Origin_NODE, Policy: storagepb.Policy_LAST_WRITE_WINS, State: state,
			}
			for _, m := range []proto.Message{sibling, state, op} {
				pad(t, m)
			}
			frame.Operations = append(frame.Operations, op)
		}
		pad(t, frame)
		b, err := proto.Marshal(frame)
		require.NoError(t, err)
		ops, _, err := wire.Operations(b, nil)
		require.NoError(t, err)
		sum := 0
		for i := range ops {
			sum += operationBytes(&ops[i])
		}
		require.GreaterOrEqual(t, sum, len(b))
		require.Less(t, sum, len(b)+len(ops)*5*messageBytes)
	})
	require.GreaterOrEqual(t, operationBytes(new(wire.Operation)), 100, "what an empty one takes in memory")
}
