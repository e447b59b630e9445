package node

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

func FuzzAnyOperationIsAnsweredAndLeavesAValidState(f *testing.F) {
	dot := vclock.Dot{Actor: 512, Stamp: vclock.StampOf(1_700_000_000_000, 0)}
	state := vclock.State{Clock: vclock.Clock{dot}, Siblings: []vclock.Sibling{{Dot: dot, Value: []byte("v")}}}
	for _, op := range []*storagepb.Operation{
		{Id: 1, Kind: storagepb.Kind_READ_STATE, Tenant: "t", Key: []byte("k")},
		{Id: 2, Kind: storagepb.Kind_READ_DIGEST, Tenant: "t", Key: []byte("k"), Policy: storagepb.Policy_LAST_WRITE_WINS},
		{Id: 3, Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte("k"), Origin: storagepb.Origin_NODE, State: wire.FromState(state)},
		{Id: 4, Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte("k"), State: wire.FromState(state)},
		{Id: 5, Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte("k")},
		{Id: 6, Kind: 77, Tenant: "t", Key: []byte("k")},
	} {
		b, err := proto.Marshal(op)
		require.NoError(f, err)
		f.Add(b)
	}
	core, err := New(NewMemory(), Identity{Cluster: "c", Node: "n1"}, Config{})
	require.NoError(f, err)
	f.Cleanup(core.Close)
	f.Fuzz(func(t *testing.T, b []byte) {
		var op storagepb.Operation
		if proto.Unmarshal(b, &op) != nil {
			return
		}
		answer := core.Do(&op)
		require.Equal(t, op.Id, answer.Id)
		require.NotEqual(t, storagepb.Status_STATUS_UNSPECIFIED, answer.Status)
		require.NotEqual(t, storagepb.Status_DISK, answer.Status, "no input may break a store")
		if answer.Status != storagepb.Status_OK {
			require.NotEmpty(t, answer.Detail, "a refusal says why")
			return
		}
		policy, held, err := core.Inspect(op.Tenant, op.Key)
		require.NoError(t, err)
		if !held.IsZero() && len(held.Siblings) > 0 {
			require.NoError(t, held.Validate(policy))
		}
	})
}
