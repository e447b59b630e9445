package wire

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

func FuzzAStateThatArrivesIsRefusedOrComesBackTheSame(f *testing.F) {
	dot := vclock.Dot{Actor: 512, Stamp: 7}
	for _, s := range []vclock.State{
		{},
		{Clock: vclock.Clock{dot}, Siblings: []vclock.Sibling{{Dot: dot, Value: []byte("v")}}},
		{Clock: vclock.Clock{dot}, Siblings: []vclock.Sibling{{Dot: dot, Tombstone: true, Expires: 1}}},
	} {
		b, err := proto.Marshal(FromState(s))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte{0x0a, 0x08, 1, 2, 3, 4, 5, 6, 7, 8}) // an actor without a stamp
	f.Fuzz(func(t *testing.T, b []byte) {
		var m storagepb.State
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		s, err := ToState(&m)
		if err != nil {
			require.ErrorIs(t, err, ErrColumns)
			return
		}
		again, err := ToState(FromState(s))
		require.NoError(t, err)
		require.Equal(t, s.Clock, again.Clock)
		require.Len(t, again.Siblings, len(s.Siblings))
		for i := range s.Siblings {
			require.Equal(t, s.Siblings[i], again.Siblings[i])
		}
		for _, p := range []vclock.Policy{vclock.Causal, vclock.LastWriteWins} {
			if s.Validate(p) != nil {
				continue
			}
			policy, decoded, err := vclock.DecodeState(vclock.AppendState(nil, p, s))
			require.NoError(t, err)
			require.Equal(t, p, policy)
			require.True(t, s.Equal(decoded))
		}
	})
}
