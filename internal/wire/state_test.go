package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

func TestAStateSurvivesTheTripThroughTheProtocol(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s vclock.State
		for actor := range vclock.Actor(rapid.IntRange(0, 5).Draw(t, "actors")) {
			stamp := vclock.Stamp(rapid.Uint64Range(1, 1<<60).Draw(t, "stamp"))
			dot := vclock.Dot{Actor: actor + 1, Stamp: stamp}
			s.Clock = append(s.Clock, dot)
			sibling := vclock.Sibling{Dot: dot, Expires: rapid.Int64Range(0, 1<<50).Draw(t, "expires")}
			if rapid.Bool().Draw(t, "tombstone") {
				sibling.Tombstone = true
			} else {
				sibling.Value = rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "value")
			}
			s.Siblings = append(s.Siblings, sibling)
		}
		b, err := proto.Marshal(&storagepb.Operation{State: FromState(s)})
		require.NoError(t, err)
		var m storagepb.Operation
		require.NoError(t, proto.Unmarshal(b, &m))
		back, err := ToState(m.GetState())
		require.NoError(t, err)
		require.Equal(t, s, back)
	})
}

func TestAClockWithoutAStampForEachActorIsRefused(t *testing.T) {
	_, err := ToState(&storagepb.State{ClockActors: []uint64{1, 2}, ClockStamps: []uint64{1}})
	require.ErrorIs(t, err, ErrColumns)
}

func TestTheEmptyStateIsNoMessage(t *testing.T) {
	require.Nil(t, FromState(vclock.State{}))
	s, err := ToState(nil)
	require.NoError(t, err)
	require.True(t, s.IsZero())
}

func TestAStateOfOneSiblingTakesFourAllocations(t *testing.T) {
	s := vclock.State{Clock: vclock.Clock{{Actor: 1, Stamp: 1}}, Siblings: []vclock.Sibling{{Dot: vclock.Dot{Actor: 1, Stamp: 1}}}}
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { FromState(s) }), 4.0)
}
