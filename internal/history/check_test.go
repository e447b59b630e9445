package history

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

func dot(n int) vclock.Dot { return vclock.Dot{Actor: 1 << 8, Stamp: vclock.Stamp(n)} }

// script builds histories by hand.
type script struct{ Log }

func (s *script) put(id int, blind bool, saw *Read, o Outcome) *Write {
	w := s.BeginWrite("k", false, blind, saw)
	var clock vclock.Clock
	if blind && o == Acked {
		clock = vclock.Clock{dot(id)}
	}
	s.EndWrite(w, o, dot(id), clock, "")
	return w
}

func (s *script) read(ids ...int) *Read {
	begin := s.BeginRead()
	var dots []vclock.Dot
	for _, id := range ids {
		dots = append(dots, dot(id))
	}
	return s.EndRead("k", begin, dots, ids, "")
}

func promises(vs []Violation) (out []string) {
	for _, v := range vs {
		out = append(out, v.Promise)
	}
	return out
}

func TestAHistoryThatKeepsItsPromisesHasNoViolation(t *testing.T) {
	var s script
	s.put(1, false, nil, Acked)
	first := s.read(1)
	s.put(2, false, first, Acked)
	s.put(3, false, first, Acked)
	both := s.read(2, 3)
	s.put(4, false, both, NotApplied)
	s.read(2, 3)
	s.put(5, true, nil, Acked)
	s.read(5)
	require.Empty(t, s.Check())
}

func TestALostAcknowledgedWriteIsP2(t *testing.T) {
	var s script
	s.put(1, false, nil, Acked)
	first := s.read(1)
	s.put(2, false, first, Acked)
	s.put(3, false, first, Acked)
	s.read(3)
	require.Equal(t, []string{"P2"}, promises(s.Check()))
}

func TestAnEmptyReadAfterAnAcknowledgedWriteIsP2(t *testing.T) {
	var s script
	s.put(1, true, nil, Acked)
	s.read()
	require.Equal(t, []string{"P2"}, promises(s.Check()))
}

func TestAReadOfWhatWasNotAppliedIsP8(t *testing.T) {
	var s script
	s.put(1, false, nil, NotApplied)
	s.read(1)
	require.Equal(t, []string{"P8"}, promises(s.Check()))
}

func TestACoveredValueThatComesBackIsP9(t *testing.T) {
	var s script
	s.put(1, false, nil, Acked)
	first := s.read(1)
	s.put(2, false, first, Acked)
	s.read(1, 2)
	require.Equal(t, []string{"P9"}, promises(s.Check()))
}

func TestAnEarlierWriteBesideABlindOneIsP4(t *testing.T) {
	var s script
	s.put(1, false, nil, Acked)
	s.put(2, true, nil, Acked)
	s.read(1, 2)
	require.Equal(t, []string{"P4"}, promises(s.Check()))
}

func TestABlindWriteThatDoesNotSayThatItCoveredIsNoExcuseForALoss(t *testing.T) {
	var s script
	s.put(1, false, nil, Acked)
	w := s.BeginWrite("k", false, true, nil)
	s.EndWrite(w, Acked, vclock.Dot{Actor: 2 << 8, Stamp: 9}, vclock.Clock{{Actor: 2 << 8, Stamp: 9}}, "")
	begin := s.BeginRead()
	s.EndRead("k", begin, []vclock.Dot{{Actor: 2 << 8, Stamp: 9}}, []int{w.ID}, "")
	require.Equal(t, []string{"P2"}, promises(s.Check()))
}

func TestAValueThatNobodyWroteIsP3(t *testing.T) {
	var s script
	s.read(7)
	require.Equal(t, []string{"P3"}, promises(s.Check()))
}

func TestAnUnknownDeleteExcusesWhatItMayHaveCovered(t *testing.T) {
	var s script
	s.put(1, false, nil, Acked)
	w := s.BeginWrite("k", true, true, nil)
	s.EndWrite(w, Unknown, vclock.Dot{}, nil, "")
	begin := s.BeginRead()
	s.EndRead("k", begin, []vclock.Dot{dot(9)}, []int{0}, "")
	require.Empty(t, s.Check())
}
