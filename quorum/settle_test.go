package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

func settling(t *testing.T, p SettleParams) *Settle {
	t.Helper()
	s := new(Settle)
	require.NoError(t, s.Init(p))
	require.Equal(t, Step{State: p.Holders &^ p.Down}, s.Start())
	return s
}

func holds(dots ...vclock.Dot) SettleAnswer { return SettleAnswer{State: stateOf(nil, dots...)} }

func TestSettleMergesWhatTheHoldersHaveIntoAllOwners(t *testing.T) {
	s := settling(t, settleOf(three, Quorum, SetOf(0, 2)))
	require.Equal(t, Step{}, s.Reply(0, holds(mine)))
	require.True(t, s.State().IsZero(), "not before all holders were heard")
	require.Equal(t, Step{Merge: FirstN(3)}, s.Reply(2, holds(mine, stranger)))
	require.Equal(t, stateOf(nil, mine, stranger), s.State())
	require.Equal(t, Step{}, s.Reply(1, SettleAnswer{}))
	require.Equal(t, Step{Done: true}, s.Reply(0, SettleAnswer{}))
	require.Equal(t, Won, s.Outcome())
	require.Equal(t, SetOf(2), s.Outstanding())
	require.Equal(t, SetOf(2), s.Missed())
	require.Equal(t, Step{}, s.Fail(2, Unanswered))
	require.Equal(t, SetOf(0, 1), s.Acked())
}

func TestSettleDoesNotCountWhatIsHeldAlready(t *testing.T) {
	s := settling(t, settleOf(three, Quorum, FirstN(3)))
	for i := range 3 {
		require.False(t, s.Reply(i, holds(mine)).Done)
	}
	require.Zero(t, s.Acked())
	needed, got, total := s.Needed()
	require.Equal(t, []int{2, 0, 3}, []int{needed, got, total})
	s.Fail(0, Unanswered)
	require.Equal(t, Step{Done: true}, s.Fail(1, Refused))
	require.Equal(t, Lost, s.Outcome())
}

func TestSettleDoesNotBringBackWhatWasWrittenOver(t *testing.T) {
	s := settling(t, settleOf(three, Quorum, SetOf(0, 1)))
	s.Reply(0, holds(mine))
	s.Reply(1, SettleAnswer{State: newer})
	require.Equal(t, newer, s.State())
}

func TestStateThatDoesNotCoverTheDotIsAFailedRead(t *testing.T) {
	broken := SettleAnswer{State: vclock.State{Clock: vclock.Clock{mine}}} // would take values away
	for _, forgotten := range []SettleAnswer{{}, holds(stranger), broken} {
		s := settling(t, settleOf(three, Quorum, SetOf(0, 1)))
		require.Equal(t, Step{}, s.Reply(0, forgotten))
		require.Equal(t, Step{Merge: FirstN(3)}, s.Reply(1, holds(mine)))
		require.Equal(t, older, s.State())

		s = settling(t, settleOf(three, Quorum, SetOf(0, 1)))
		s.Reply(0, forgotten)
		require.Equal(t, Step{Done: true}, s.Fail(1, Unanswered))
		require.Equal(t, Lost, s.Outcome())
		require.Zero(t, s.Outstanding())
	}
}

func TestSettleThatCannotSucceedAsksNobody(t *testing.T) {
	for what, p := range map[string]SettleParams{
		"nobody holds it":        {},
		"the holder is down":     {Holders: SetOf(0), Down: SetOf(0)},
		"the holder is no owner": {Holders: SetOf(4)},
		"too many are down":      {Holders: SetOf(0), Down: SetOf(1, 2)},
		"too few count":          {Holders: SetOf(0), Down: SetOf(1), Amnesiac: SetOf(2)},
	} {
		p.Owners, p.Level, p.Dot = three, Quorum, mine
		var s Settle
		require.NoError(t, s.Init(p))
		require.Equal(t, Step{Done: true}, s.Start(), what)
		require.Equal(t, Lost, s.Outcome(), what)
		require.Zero(t, s.Outstanding(), what)
	}
}

func TestAmnesiacHolderGivesItsStateAndCountsForNothing(t *testing.T) {
	p := settleOf(three, Quorum, SetOf(0))
	p.Amnesiac = SetOf(0)
	s := settling(t, p)
	require.Equal(t, Step{Merge: FirstN(3)}, s.Reply(0, holds(mine)))
	require.Equal(t, Step{}, s.Reply(0, SettleAnswer{}))
	require.Equal(t, Step{}, s.Reply(1, SettleAnswer{}))
	require.Equal(t, Step{Done: true}, s.Reply(2, SettleAnswer{}))
	require.Equal(t, SetOf(1, 2), s.Acked())
	require.Zero(t, s.Missed(), "it stored the merge")
}

func TestAmnesiaFoundOnTheWayIsTakenIntoAccount(t *testing.T) {
	p := settleOf(three, Quorum, SetOf(0, 1))
	p.Down = SetOf(2)
	s := settling(t, p)
	require.Equal(t, Step{Done: true}, s.Reply(0, SettleAnswer{State: older, Amnesiac: true}), "before the merge")
	require.Equal(t, Step{}, s.Reply(1, holds(mine)), "which then is not sent")
	require.True(t, s.State().IsZero())

	s = settling(t, p)
	s.Reply(0, holds(mine))
	require.Equal(t, Step{Merge: SetOf(0, 1)}, s.Reply(1, holds(mine)))
	require.Equal(t, Step{Done: true}, s.Reply(0, SettleAnswer{Amnesiac: true}))
	require.Equal(t, Lost, s.Outcome())
}

func TestSettleMustMeetItsLevelInEachSet(t *testing.T) {
	s := settling(t, settleOf(Owners{Old: SetOf(0, 1, 2), New: SetOf(2, 3, 4)}, Quorum, SetOf(0)))
	require.Equal(t, Step{Merge: FirstN(5)}, s.Reply(0, holds(mine)))
	for i := range 3 {
		require.Equal(t, Step{}, s.Reply(i, SettleAnswer{}))
	}
	require.Equal(t, Step{Done: true}, s.Reply(4, SettleAnswer{}))
	require.Equal(t, Won, s.Outcome())
}

func TestSettledLastWriteWinsWriteSaysWhetherItWasBeaten(t *testing.T) {
	greatest := SettleAnswer{State: vclock.State{Siblings: []vclock.Sibling{{Dot: successor}}}}
	own := SettleAnswer{State: vclock.State{Siblings: []vclock.Sibling{sibling(mine)}}}
	p := settleOf(three, Quorum, SetOf(0))
	p.Policy = vclock.LastWriteWins

	s := settling(t, p)
	require.False(t, s.Superseded())
	s.Reply(0, greatest)
	require.True(t, s.Superseded(), "a greater one is merged in its place")
	require.Equal(t, successor.Stamp, s.Later())

	s = settling(t, p)
	s.Reply(0, own)
	require.False(t, s.Superseded())
	s.Reply(1, SettleAnswer{State: greatest.State, Amnesiac: true})
	require.False(t, s.Superseded(), "it counts for nothing")
	s.Reply(2, greatest)
	require.True(t, s.Superseded(), "an owner shows a greater one")

	p.Policy = vclock.Causal
	s = settling(t, p)
	s.Reply(0, SettleAnswer{State: newer})
	require.False(t, s.Superseded(), "causal tenants have no beaten writes")
}

func TestCancelledSettleMergesNothing(t *testing.T) {
	s := settling(t, settleOf(three, Quorum, SetOf(0)))
	require.Equal(t, Step{Done: true}, s.Cancel())
	require.Equal(t, Step{}, s.Cancel())
	require.Equal(t, SetOf(0), s.Outstanding())
	require.Equal(t, Step{}, s.Reply(0, holds(mine)))
	require.Zero(t, s.Outstanding())
	require.Equal(t, Lost, s.Outcome())
	require.Equal(t, mine.Stamp, s.Later(), "what was shown is still learnt from")
}
