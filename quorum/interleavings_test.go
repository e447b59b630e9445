package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// Each test plays one order of events that lost or doubled a write under some
// earlier rule, twice: as the machines are, and with the rule switched off, which must
// show the damage. Replicas 0, 1 and 2 are n1, n2 and n3.

func TestDigestsTellClocksApart(t *testing.T) { // case 6
	// n1 holds [d, e], n2 [d], n3 [d] with a clock that covers e. A read of n2
	// and n3 must say the same about e, whichever gives its state.
	play := func(off rules, order []uint8) (result vclock.State, withN1 vclock.State) {
		r := replicas{
			stateOf(nil, mine, stranger),
			stateOf(nil, mine),
			stateOf(vclock.Clock{stranger}, mine),
		}
		read := reader(t, ReadParams{Owners: three, Level: Quorum, Order: order}, off)
		r.repair(r.serve(read, 0))
		require.Equal(t, Won, read.Outcome())
		return read.Result(), vclock.Join(vclock.Causal, read.Result(), r[0])
	}
	_, first := play(0, []uint8{1, 2, 0})
	_, second := play(0, []uint8{2, 1, 0})
	require.True(t, first.Equal(second))

	_, first = play(digestWithoutClock, []uint8{1, 2, 0})
	_, second = play(digestWithoutClock, []uint8{2, 1, 0})
	require.NotEqual(t, first.Has(stranger), second.Has(stranger),
		"switched off, it depends on who was asked whether e is there")
}

func TestDigestThatDiffersDoesNotCount(t *testing.T) { // case 6
	play := func(off rules) vclock.State {
		r := make(replicas, 3)
		r.write(nil, mine, 1, 2)
		read := reader(t, readOf(three, Quorum), off)
		r.serve(read, 0)
		require.Equal(t, Won, read.Outcome())
		return read.Result()
	}
	require.True(t, play(0).Has(mine))
	require.False(t, play(countAnyDigest).Has(mine), "switched off, an acknowledged write is not found")
}

func TestOneUnansweredAttemptIsNotNotApplied(t *testing.T) { // case 8
	play := func(off rules) (notApplied bool, visible bool) {
		r := make(replicas, 3)
		w := started(t, writeOf(three, Quorum, vclock.Causal), off)
		r.merge(2, w.State()) // n3 stores it, and its answer is lost
		w.Fail(2, Unanswered)
		w.Fail(0, Refused)
		w.Fail(1, Refused)
		require.Equal(t, Lost, w.Outcome())
		read := reader(t, readOf(three, All), 0)
		r.repair(r.serve(read, 0))
		return w.NotApplied(), r[0].Has(mine)
	}
	notApplied, visible := play(0)
	require.True(t, visible, "a read spreads what n3 stored")
	require.False(t, notApplied)
	notApplied, _ = play(forgetUnanswered)
	require.True(t, notApplied, "switched off, what is visible was reported as not applied")
}

func TestFailingEarlyWithAnAnswerOutstandingIsNotNotApplied(t *testing.T) { // case 8
	play := func(off rules) *Write {
		w := started(t, writeOf(three, Quorum, vclock.Causal), off)
		w.Fail(0, Refused)
		require.True(t, w.Fail(1, NotSent).Done)
		return w
	}
	require.True(t, play(forgetUnanswered).NotApplied(), "switched off, n3 may store it after the report")
	w := play(0)
	require.False(t, w.NotApplied())
	w.Fail(2, Refused)
	require.True(t, w.NotApplied(), "settled, it is known")
}

func TestCoordinatorsClockDoesNotSettleAWrite(t *testing.T) { // case 9
	// d is on its way to n1, slowly. Another coordinator meets its record and
	// sends it once more; n2 and n3 find it too old, n1 is busy and refuses it for
	// that, and the coordinator's own clock says that it is too old by far.
	play := func(off rules) (Fate, replicas) {
		r := make(replicas, 3)
		slow := started(t, writeOf(three, Quorum, vclock.Causal), 0)
		w := started(t, writeOf(three, Quorum, vclock.Causal), off)
		w.Fail(0, Refused)
		w.Fail(1, TooOld)
		w.Fail(2, TooOld)
		fate, _ := w.Fate()
		r.deliver(slow, 0) // its window was open all the time
		if fate == NeverApplied {
			r.write(nil, stranger, 0, 1, 2) // so the request is written anew
		}
		return fate, r
	}
	fate, r := play(0)
	require.Equal(t, Unclear, fate)
	require.Len(t, r.all().Siblings, 1)
	fate, r = play(ageByOwnClock)
	require.Equal(t, NeverApplied, fate)
	require.Len(t, r.all().Siblings, 2, "switched off, one request has two effects")
}

func TestEmptyOwnerDoesNotCountForARead(t *testing.T) { // case 13
	// v is acknowledged by n1 and n2, n2's disk is replaced, n2 and n3 are read.
	play := func(off rules) (vclock.State, replicas) {
		r := make(replicas, 3)
		r.write(nil, mine, 0, 1)
		r[1] = vclock.State{}
		read := reader(t, ReadParams{Owners: three, Level: Quorum, Order: []uint8{1, 2, 0}}, off)
		r.repair(r.serve(read, SetOf(1)))
		require.Equal(t, Won, read.Outcome())
		return read.Result(), r
	}
	result, r := play(0)
	require.True(t, result.Has(mine))
	require.True(t, r[1].Has(mine), "the empty owner is repaired")
	result, _ = play(countAmnesiacs)
	require.False(t, result.Has(mine), "switched off, an acknowledged write is not found")
}

func TestEmptyOwnerDoesNotCountForAWrite(t *testing.T) { // case 13
	// n2 comes back empty between two writes: a level met with n2's answer is no
	// level met, since n2 may be replaced by what it was.
	play := func(off rules) Outcome {
		p := writeOf(three, Quorum, vclock.Causal)
		p.Amnesiac = SetOf(1)
		w := started(t, p, off)
		w.Reply(0, Ack{Live: true})
		w.Reply(1, Ack{Live: true})
		return w.Outcome()
	}
	require.Equal(t, Pending, play(0))
	require.Equal(t, Won, play(countAmnesiacs))
}
