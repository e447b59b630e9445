package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

func TestWriteReturnsAtTheLevelAndGoesOnInTheTail(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	require.Equal(t, Step{}, w.Reply(2, Ack{Live: true}))
	require.Equal(t, Step{Done: true}, w.Reply(0, Ack{Live: true}))
	require.Equal(t, Won, w.Outcome())
	require.Equal(t, SetOf(1), w.Outstanding())
	require.Equal(t, SetOf(1), w.Missed())
	require.Equal(t, Step{}, w.Reply(1, Ack{Live: true}))
	require.Equal(t, FirstN(3), w.Acked())
	require.Zero(t, w.Missed())
	require.Equal(t, Step{}, w.Cancel())
	require.Equal(t, Won, w.Outcome())
}

func TestWriteFailsAsSoonAsTheLevelIsOutOfReach(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	require.Equal(t, Step{}, w.Fail(0, Refused))
	require.Equal(t, Step{Done: true}, w.Fail(1, Refused))
	needed, got, total := w.Needed()
	require.Equal(t, []int{2, 0, 3}, []int{needed, got, total})
}

func TestWriteThatCannotSucceedIsNotSent(t *testing.T) {
	for _, p := range []WriteParams{
		{Owners: three, Level: All, Down: SetOf(1)},
		{Owners: three, Level: All, Amnesiac: SetOf(1)},
		{Owners: three, Level: Quorum, Down: SetOf(1), Amnesiac: SetOf(0)},
		{Owners: Owners{Old: FirstN(3), New: SetOf(3)}, Level: Quorum, Down: SetOf(3)},
	} {
		p.Sibling = sibling(mine)
		var w Write
		require.NoError(t, w.Init(p))
		require.Equal(t, Step{Done: true}, w.Start())
		require.Equal(t, Lost, w.Outcome())
		require.True(t, w.NotApplied())
		require.Zero(t, w.Outstanding())
	}
}

func TestAmnesiacOwnerIsSentTheWriteAndCountsForNothing(t *testing.T) {
	p := writeOf(three, Quorum, vclock.Causal)
	p.Amnesiac = SetOf(0)
	w := started(t, p, 0)
	require.Equal(t, Step{}, w.Reply(0, Ack{Live: true, State: vclock.State{Clock: vclock.Clock{mine, stranger}}}))
	require.Equal(t, Step{}, w.Reply(1, Ack{Live: true}))
	require.Equal(t, Step{Done: true}, w.Reply(2, Ack{Live: true}))
	require.Equal(t, SetOf(1, 2), w.Acked())
	require.Zero(t, w.Missed(), "it stored the write")
}

func TestWriteHasOneRoundWhateverTheAcknowledgementsShow(t *testing.T) {
	p := writeOf(three, Quorum, vclock.Causal)
	p.Context = vclock.Clock{successor}
	w := started(t, p, 0)
	sent := w.State()
	require.Equal(t, vclock.Clock{mine, successor}, sent.Clock)
	more := Ack{Live: true, State: vclock.State{Clock: vclock.Clock{mine, stranger, successor}}}
	require.Equal(t, Step{}, w.Reply(0, more))
	require.Equal(t, Step{Done: true}, w.Reply(1, more))
	require.Equal(t, sent, w.State())
	require.Equal(t, sent.Clock, w.Context(), "a reader of this write has not seen what it met")
}

func TestRepairGoesOutOnceMoreWhenTheTailFindsMore(t *testing.T) {
	w := started(t, writeOf(Owners{Old: FirstN(4)}, Two, vclock.Causal), 0)
	one, both := stateOf(vclock.Clock{mine}, successor), stateOf(vclock.Clock{mine}, successor, stranger)
	require.Equal(t, Step{}, w.Reply(0, Ack{Live: true}))
	require.Equal(t, Step{Done: true, Repairs: []Repair{{To: SetOf(0), State: one}}}, w.Reply(1, Ack{State: one}))
	require.Equal(t, Step{}, w.Reply(2, Ack{State: both}))
	require.Equal(t, Step{Repairs: []Repair{{To: SetOf(0, 3), State: both}}}, w.Reply(3, Ack{Live: true}))
}

func TestLastWriteWinsTellsThatItWasSuperseded(t *testing.T) {
	greater := Ack{State: vclock.State{Siblings: []vclock.Sibling{{Dot: successor}}}, ValuesMissing: true}
	w := started(t, writeOf(three, Quorum, vclock.LastWriteWins), 0)
	require.Empty(t, w.Context())
	w.Reply(0, Ack{Live: true})
	require.False(t, w.Superseded())
	require.Equal(t, Step{Done: true}, w.Reply(1, greater), "no repair without a value")
	require.True(t, w.Superseded())
	require.Equal(t, successor.Stamp, w.Later())

	greater.Amnesiac = true
	w = started(t, writeOf(three, Quorum, vclock.LastWriteWins), 0)
	w.Reply(0, greater)
	require.False(t, w.Superseded(), "it counts for nothing")
	require.Equal(t, successor.Stamp, w.Later(), "and still moves the clock on")
}

func TestJointLevelMustBeMetInEachSet(t *testing.T) {
	w := started(t, writeOf(Owners{Old: SetOf(0, 1, 2), New: SetOf(2, 3, 4)}, Quorum, vclock.Causal), 0)
	w.Reply(0, Ack{Live: true})
	w.Reply(1, Ack{Live: true})
	require.Equal(t, Step{}, w.Reply(2, Ack{Live: true}))
	needed, got, total := w.Needed()
	require.Equal(t, []int{2, 1, 3}, []int{needed, got, total}, "of the new set")
	require.Equal(t, Step{}, w.Fail(3, Refused))
	require.Equal(t, Step{Done: true}, w.Fail(4, Refused))
	require.Equal(t, Lost, w.Outcome())
}

func TestCancelledWriteKeepsAccountOfTheTail(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	require.Equal(t, Step{Done: true}, w.Cancel())
	require.Equal(t, Step{}, w.Cancel())
	more := Ack{Live: true, State: vclock.State{Clock: vclock.Clock{mine, stranger}}}
	for i := range 3 {
		require.Equal(t, Step{}, w.Reply(i, more))
	}
	require.Equal(t, Lost, w.Outcome())
	require.Zero(t, w.Outstanding()|w.Missed())
	require.False(t, w.NotApplied())
}

func TestAClockWithoutSiblingsMakesNoRepair(t *testing.T) {
	// A node that holds a large state answers a superseded write by its clock
	// alone. Joined into an owner that holds the write, it would leave nothing.
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	clock := Ack{State: vclock.State{Clock: vclock.Clock{mine, successor}}}
	require.Equal(t, Step{}, w.Reply(0, Ack{Live: true}))
	require.Equal(t, Step{Done: true}, w.Reply(1, clock))
	require.Equal(t, Step{}, w.Reply(2, Ack{Live: true}))
	require.Equal(t, FirstN(3), w.Acked(), "superseded is acknowledged")
}
