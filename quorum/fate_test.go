package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

func TestFateIsReadFromEveryOwner(t *testing.T) {
	acked := writeEvent{acked: true, ack: Ack{Live: true}}
	ackedAmnesiac := writeEvent{acked: true, ack: Ack{Live: true, Amnesiac: true}}
	old, oldAmnesiac := writeEvent{failure: TooOld}, writeEvent{failure: TooOld, lost: true}
	seen, seenAmnesiac := writeEvent{failure: TooOldSeen}, writeEvent{failure: TooOldSeen, lost: true}
	refused, unsent, unanswered := writeEvent{failure: Refused}, writeEvent{failure: NotSent}, writeEvent{failure: Unanswered}
	for _, c := range []struct {
		what     string
		events   [3]writeEvent
		want     Fate
		holders  Set
		doubtful Set
	}{
		{"all have refused it unseen", [3]writeEvent{old, old, old}, NeverApplied, 0, 0},
		{"one has not answered", [3]writeEvent{old, old, unanswered}, Unclear, 0, SetOf(2)},
		{"one could not be sent it", [3]writeEvent{old, unsent, old}, Unclear, 0, SetOf(1)},
		{"one refused it for another reason", [3]writeEvent{refused, old, old}, Unclear, 0, SetOf(0)},
		{"one has forgotten", [3]writeEvent{old, old, oldAmnesiac}, Unclear, 0, SetOf(2)},
		{"one has seen it", [3]writeEvent{old, seen, old}, Applied, SetOf(1), 0},
		{"one has forgotten, and has it again", [3]writeEvent{old, seenAmnesiac, old}, Applied, SetOf(1), 0},
		{"one still takes it", [3]writeEvent{old, old, acked}, Applied, SetOf(2), 0},
		{"one that has forgotten takes it", [3]writeEvent{old, old, ackedAmnesiac}, Applied, SetOf(2), 0},
		{"one holder is enough", [3]writeEvent{unanswered, seen, oldAmnesiac}, Applied, SetOf(1), SetOf(0, 2)},
		{"nobody has refused it for its age", [3]writeEvent{refused, unsent, refused}, Unclear, 0, FirstN(3)},
	} {
		w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
		for i, e := range c.events {
			e.replica = i
			applyWrite(w, e)
		}
		fate, holders := w.Fate()
		require.Equal(t, c.want, fate, c.what)
		require.Equal(t, c.holders, holders, c.what)
		require.Equal(t, c.doubtful, w.Doubtful(), c.what)
	}
}

func TestFateIsUnclearWhileAnOwnerIsOutstanding(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	w.Fail(0, TooOld)
	require.True(t, w.Fail(1, TooOld).Done, "lost, which is not never applied")
	fate, _ := w.Fate()
	require.Equal(t, Unclear, fate)
	require.Equal(t, SetOf(2), w.Doubtful())
	require.Equal(t, SetOf(0, 1), w.Aged())
	w.Fail(2, TooOld)
	fate, _ = w.Fate()
	require.Equal(t, NeverApplied, fate)
}

func TestFateIsUnclearWhileAnOwnerIsDownOrAmnesiac(t *testing.T) {
	for _, p := range []WriteParams{{Down: SetOf(2)}, {Amnesiac: SetOf(2)}} {
		p.Owners, p.Level, p.Sibling = three, Quorum, sibling(mine)
		var w Write
		require.NoError(t, w.Init(p))
		for i := range w.Start().Merge.All {
			w.Fail(i, TooOld)
		}
		fate, _ := w.Fate()
		require.Equal(t, Unclear, fate)
		require.Equal(t, SetOf(2), w.Doubtful())
	}
}

func TestFateAsksTheOwnersOfBothSets(t *testing.T) {
	w := started(t, writeOf(Owners{Old: SetOf(0, 1, 2), New: SetOf(1, 2, 3)}, Quorum, vclock.Causal), 0)
	for i := range 3 {
		w.Fail(i, TooOld)
	}
	fate, _ := w.Fate()
	require.Equal(t, Unclear, fate)
	w.Fail(3, TooOldSeen)
	fate, holders := w.Fate()
	require.Equal(t, Applied, fate)
	require.Equal(t, SetOf(3), holders)
}

func TestFateOfAWriteThatWasNotSentIsUnclear(t *testing.T) {
	var w Write
	fate, _ := w.Fate()
	require.Equal(t, Unclear, fate, "not set up")
	require.NoError(t, w.Init(writeOf(three, Quorum, vclock.Causal)))
	fate, _ = w.Fate()
	require.Equal(t, Unclear, fate)
	w.Cancel()
	fate, _ = w.Fate()
	require.Equal(t, Unclear, fate, "cancelled")
	require.True(t, w.NotApplied(), "by this machine, it was not")
}

func TestRefusalForAgeCountsTowardNoLevel(t *testing.T) {
	w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
	require.Equal(t, Step{}, w.Reply(0, Ack{Live: true}))
	require.Equal(t, Step{}, w.Fail(1, TooOldSeen))
	require.Equal(t, Step{Done: true}, w.Fail(2, TooOldSeen))
	require.Equal(t, Lost, w.Outcome())
	require.Equal(t, SetOf(0), w.Acked())
	require.Equal(t, SetOf(1, 2), w.Missed())
	fate, holders := w.Fate()
	require.Equal(t, Applied, fate)
	require.Equal(t, FirstN(3), holders)
}

func TestRefusalForAgeIsNotAppliedUnlessItWasSeen(t *testing.T) {
	for failure, want := range map[Failure]bool{TooOld: true, TooOldSeen: false} {
		w := started(t, writeOf(three, Quorum, vclock.Causal), 0)
		w.Fail(0, Refused)
		w.Fail(1, failure)
		w.Fail(2, TooOld)
		require.Equal(t, want, w.NotApplied(), failure)
	}
}
