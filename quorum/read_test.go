package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

var (
	older = stateOf(nil, mine)
	newer = stateOf(vclock.Clock{mine}, successor)
)

func digestOf(s vclock.State) Answer { return Answer{Digest: s.Digest(), IsDigest: true} }

func TestReadTakesOneStateAndDigestsThatAgree(t *testing.T) {
	r := reader(t, ReadParams{Owners: three, Level: Quorum, Order: []uint8{1, 2, 0}}, 0)
	require.Equal(t, Step{State: SetOf(1), Digest: SetOf(2)}, r.Start())
	require.Equal(t, Step{}, r.Reply(2, digestOf(newer)))
	require.Equal(t, Step{Done: true}, r.Reply(1, Answer{State: newer}))
	require.Equal(t, newer, r.Result())
	require.Equal(t, SetOf(1, 2), r.Answered())
}

func TestReadAsksForStatesOnceDigestsDiffer(t *testing.T) {
	r := reader(t, readOf(three, Quorum), 0)
	r.Start()
	require.Equal(t, Step{}, r.Reply(0, Answer{State: older}))
	require.Equal(t, Step{State: SetOf(1)}, r.Reply(1, digestOf(newer)))
	s := r.Reply(1, Answer{State: newer})
	require.True(t, s.Done)
	require.Equal(t, newer, r.Result())
	require.Equal(t, []Repair{{To: SetOf(0), State: newer}}, s.Repairs)
}

func TestReadRepairsTheOwnersThatAreEmpty(t *testing.T) {
	r := reader(t, readOf(three, All), 0)
	r.Start()
	r.Reply(0, Answer{State: older})
	require.Equal(t, Step{State: SetOf(1)}, r.Reply(1, digestOf(vclock.State{})))
	require.Equal(t, Step{State: SetOf(2)}, r.Reply(2, digestOf(older)))
	r.Reply(1, Answer{})
	s := r.Reply(2, Answer{State: older})
	require.Equal(t, Step{Done: true, Repairs: []Repair{{To: SetOf(1), State: older}}}, s)
}

func TestReadOfAnAbsentKeyRepairsNothing(t *testing.T) {
	r := reader(t, readOf(three, Quorum), 0)
	r.Start()
	r.Reply(0, Answer{})
	require.Equal(t, Step{Done: true}, r.Reply(1, digestOf(vclock.State{})))
	require.True(t, r.Result().IsZero())
}

func TestHedgedAnswerThatComesLateIsRepairedAndTeaches(t *testing.T) {
	r := reader(t, readOf(three, Quorum), 0)
	r.Start()
	r.Reply(1, digestOf(older))
	require.Equal(t, SetOf(0), r.Late())
	require.Equal(t, Step{State: SetOf(2)}, r.Hedge(), "the late one was to give the state")
	require.Equal(t, Step{State: SetOf(1)}, r.Hedge(), "nobody is left but one that gave a digest")
	require.Equal(t, Step{}, r.Hedge())
	require.Equal(t, Step{Done: true}, r.Reply(2, Answer{State: older}))
	require.Zero(t, r.Late())
	require.Equal(t, []Repair{{To: SetOf(1, 2), State: newer}}, r.Reply(0, Answer{State: newer}).Repairs)
	require.Equal(t, older, r.Result(), "the result stays as it was returned")
	require.Equal(t, Step{}, r.Reply(1, Answer{State: older}), "repaired before")
}

func TestHedgeAsksForADigestWhenAStateHasCome(t *testing.T) {
	r := reader(t, readOf(three, Quorum), 0)
	r.Start()
	r.Reply(0, Answer{State: older})
	require.Equal(t, Step{Digest: SetOf(2)}, r.Hedge())
	require.Equal(t, Step{}, r.Hedge())
	s := r.Reply(2, digestOf(older))
	require.Equal(t, Step{Done: true}, s)
	require.Equal(t, []Repair{{To: SetOf(1), State: older}}, r.Reply(1, digestOf(vclock.State{})).Repairs)
}

func TestReadGoesToTheNextOwnerWhenOneFails(t *testing.T) {
	r := reader(t, readOf(three, Quorum), 0)
	r.Start()
	require.Equal(t, Step{State: SetOf(2)}, r.Fail(0), "the state is asked of the next")
	require.Equal(t, Step{Done: true}, r.Fail(1))
	require.Equal(t, Lost, r.Outcome())
	require.Equal(t, Step{}, r.Reply(2, Answer{State: older}), "a lost read repairs nothing")
	require.True(t, r.Result().IsZero())
}

func TestReadAsksADigestAnswererForTheStateThatFailed(t *testing.T) {
	// Owner 0 is in both sets, so its digest meets the level by itself.
	r := reader(t, ReadParams{Owners: Owners{Old: FirstN(2), New: FirstN(1)}, Level: One, Order: []uint8{1, 0}}, 0)
	require.Equal(t, Step{State: SetOf(1), Digest: SetOf(0)}, r.Start())
	require.Equal(t, Step{}, r.Reply(0, digestOf(older)))
	require.Equal(t, Step{State: SetOf(0)}, r.Fail(1))
	require.Equal(t, Step{}, r.Reply(0, digestOf(older)), "the digest once more is no answer, and no failure")
	require.Equal(t, Step{Done: true}, r.Reply(0, Answer{State: older}))
}

func TestAmnesiacAnswerIsDataAndIsRepaired(t *testing.T) {
	r := reader(t, readOf(three, Quorum), 0)
	r.Start()
	r.Reply(1, digestOf(older))
	require.Equal(t, Step{State: SetOf(2)}, r.Reply(0, Answer{State: newer, Amnesiac: true}))
	s := r.Reply(2, Answer{State: older})
	require.Equal(t, newer, r.Result(), "what it holds is joined")
	require.Equal(t, Step{Done: true, Repairs: []Repair{{To: SetOf(1, 2), State: newer}}}, s)
}

func TestClockReadAsksAllForClocksAndRepairsNothing(t *testing.T) {
	p := readOf(three, Quorum)
	p.ClockOnly = true
	r := reader(t, p, 0)
	require.Equal(t, Step{Clock: SetOf(0, 1)}, r.Start())
	r.Reply(0, Answer{State: vclock.State{Clock: vclock.Clock{mine}}})
	require.Equal(t, Step{Done: true}, r.Reply(1, Answer{State: vclock.State{Clock: vclock.Clock{stranger}}}))
	require.Equal(t, vclock.Clock{mine, stranger}, r.Result().Clock)
}

func TestJointReadAsksEnoughOfEachSet(t *testing.T) {
	p := readOf(Owners{Old: SetOf(0, 1, 2), New: SetOf(2, 3, 4)}, Quorum)
	r := reader(t, p, 0)
	require.Equal(t, Step{State: SetOf(0), Digest: SetOf(1, 2, 3)}, r.Start())
	require.Equal(t, Step{Digest: SetOf(4)}, r.Fail(3), "the next of the set that lacks one")
	p.Order = []uint8{2, 4, 0, 1, 3}
	r = reader(t, p, 0)
	require.Equal(t, Step{State: SetOf(2), Digest: SetOf(0, 4)}, r.Start(), "an owner of both counts in both")
}

func TestReadThatCannotSucceedAsksNobody(t *testing.T) {
	p := readOf(three, Quorum)
	p.Down, p.Amnesiac = SetOf(0), SetOf(1)
	require.Equal(t, Step{Done: true}, reader(t, p, 0).Start())
}

func TestAnswerOfTheWrongKindIsNoAnswer(t *testing.T) {
	r := reader(t, readOf(three, One), 0)
	r.Start()
	require.Equal(t, Step{State: SetOf(1)}, r.Reply(0, digestOf(older)))
}
