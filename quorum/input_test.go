package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

func TestLevelThatTheOwnersCannotGiveIsRefused(t *testing.T) {
	for _, c := range []struct {
		owners Owners
		level  Level
		want   LevelError
	}{
		{Owners{}, One, LevelError{One, 0}},
		{Owners{}, All, LevelError{All, 0}},
		{Owners{New: FirstN(3)}, One, LevelError{One, 0}},
		{Owners{Old: FirstN(1)}, Two, LevelError{Two, 1}},
		{Owners{Old: FirstN(2)}, Three, LevelError{Three, 2}},
		{Owners{Old: FirstN(3)}, Default, LevelError{Default, 3}},
		{Owners{Old: FirstN(3)}, All + 1, LevelError{All + 1, 3}},
		{Owners{Old: FirstN(3), New: SetOf(5)}, Two, LevelError{Two, 1}},
	} {
		var w Write
		var r Read
		var s Settle
		for _, err := range []error{
			w.Init(writeOf(c.owners, c.level, vclock.Causal)),
			r.Init(readOf(c.owners, c.level)),
			s.Init(settleOf(c.owners, c.level, 0)),
		} {
			require.ErrorIs(t, err, ErrLevel)
			var levelErr *LevelError
			require.ErrorAs(t, err, &levelErr)
			require.Equal(t, c.want, *levelErr)
		}
	}
	err := &LevelError{Three, 2}
	require.Equal(t, "level three cannot be reached with 2 owners", err.Error())
	require.NotErrorIs(t, err, ErrOwners)
}

func TestOwnersThatCannotBeAreRefused(t *testing.T) {
	beyond := Owners{Old: Set(1) << MaxOwners}
	var w Write
	require.ErrorIs(t, w.Init(writeOf(beyond, One, vclock.Causal)), ErrOwners)
	var s Settle
	require.ErrorIs(t, s.Init(settleOf(beyond, One, 1)), ErrOwners)
	var r Read
	require.ErrorIs(t, r.Init(ReadParams{Owners: beyond, Level: One, Order: []uint8{MaxOwners}}), ErrOwners)
	for _, order := range [][]uint8{nil, {0, 1}, {0, 1, 1}, {0, 1, 3}, {0, 1, 2, 3}, {0, 1, 2, 2}, {0, 1, 255}} {
		require.ErrorIs(t, r.Init(ReadParams{Owners: three, Level: One, Order: order}), ErrOwners, "%v", order)
	}
}

func TestOrderIsCopied(t *testing.T) {
	order := []uint8{2, 1, 0}
	r := reader(t, ReadParams{Owners: three, Level: One, Order: order}, 0)
	order[0] = 0
	require.Equal(t, Step{State: SetOf(2)}, r.Start())
}

func TestMachineThatWasNotStartedAsksNothingAndCanBeCancelled(t *testing.T) {
	var w Write
	require.NoError(t, w.Init(writeOf(three, Quorum, vclock.Causal)))
	require.Equal(t, Step{}, w.Reply(0, Ack{Live: true}))
	require.Equal(t, Step{Done: true}, w.Cancel())
	require.True(t, w.NotApplied())
	require.Equal(t, Step{}, w.Start())

	var r Read
	require.NoError(t, r.Init(readOf(three, Quorum)))
	require.Equal(t, Step{}, r.Reply(0, Answer{}))
	require.Equal(t, Step{}, r.Hedge())
	require.Equal(t, Step{Done: true}, r.Cancel())
	require.Equal(t, Step{}, r.Start())

	var s Settle
	require.NoError(t, s.Init(settleOf(three, Quorum, SetOf(0))))
	require.Equal(t, Step{}, s.Reply(0, holds(mine)))
	require.Equal(t, Step{Done: true}, s.Cancel())
	require.Equal(t, Step{}, s.Start())
}

func TestMachineIsReusedByInit(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	w.Reply(0, Ack{Live: true, State: vclock.State{Clock: vclock.Clock{mine, stranger}}, Amnesiac: true})
	w.Cancel()
	require.NoError(t, w.Init(writeOf(three, Quorum, vclock.Causal)))
	fresh := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	w.Start()
	require.Equal(t, fresh, w)

	r := reader(t, readOf(three, Quorum), 0)
	replicas{stateOf(nil, mine), {}, {}}.serve(r, 0)
	require.NoError(t, r.Init(readOf(three, Quorum)))
	require.Equal(t, reader(t, readOf(three, Quorum), 0), r)

	s := settling(t, settleOf(three, Quorum, SetOf(0)))
	s.Reply(0, SettleAnswer{State: newer, Amnesiac: true})
	require.NoError(t, s.Init(settleOf(three, Quorum, SetOf(0))))
	s.Start()
	require.Equal(t, settling(t, settleOf(three, Quorum, SetOf(0))), s)
}

func TestStartIsForOnce(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	require.Equal(t, Step{}, w.Start())
	r := reader(t, readOf(three, Quorum), 0)
	require.Equal(t, Step{State: SetOf(0), Digest: SetOf(1)}, r.Start())
	require.Equal(t, Step{}, r.Start())
	require.Equal(t, Step{}, settling(t, settleOf(three, Quorum, SetOf(0))).Start())
}

func TestAnswersOfUnknownReplicasAreIgnored(t *testing.T) {
	w := started(t, writeOf(three, One, vclock.Causal), 0)
	r := reader(t, readOf(three, One), 0)
	r.Start()
	s := settling(t, settleOf(three, Quorum, SetOf(0, 1)))
	for _, i := range []int{-1, 3, MaxOwners, 16, 64, 1 << 40} {
		require.Equal(t, Step{}, w.Reply(i, Ack{Live: true}))
		require.Equal(t, Step{}, w.Fail(i, Refused))
		require.Equal(t, Step{}, w.Refuse(i, Refusal{Failure: TooOld, Amnesiac: true}))
		require.Equal(t, Step{}, r.Reply(i, Answer{}))
		require.Equal(t, Step{}, r.Fail(i))
		require.Equal(t, Step{}, s.Reply(i, holds(mine)))
		require.Equal(t, Step{}, s.Fail(i, Refused))
	}
	require.Equal(t, Pending, w.Outcome())
	require.Equal(t, Pending, r.Outcome())
	require.Equal(t, SetOf(0, 1), s.Outstanding())
}
