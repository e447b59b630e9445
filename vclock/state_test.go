package vclock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestValidateRefusesStatesThatBreakTheRulesOfTheirPolicy(t *testing.T) {
	one := []Sibling{{Dot: Dot{1, 5}}}
	for _, c := range []struct {
		name   string
		policy Policy
		state  State
		ok     bool
	}{
		{"absent key", Causal, State{}, true},
		{"one sibling", Causal, State{Clock{{1, 5}}, one}, true},
		{"clock knows more", Causal, State{Clock{{1, 6}, {2, 3}}, one}, true},
		{"clock does not cover", Causal, State{Clock{{1, 4}}, one}, false},
		{"no clock", Causal, State{nil, one}, false},
		{"no sibling", Causal, State{Clock{{1, 5}}, nil}, false},
		{"bad clock", Causal, State{Clock{{1, 0}, {1, 5}}, one}, false},
		{"siblings descend", Causal, State{Clock{{1, 5}}, []Sibling{{Dot: Dot{1, 5}}, {Dot: Dot{1, 4}}}}, false},
		{"sibling twice", Causal, State{Clock{{1, 5}}, []Sibling{one[0], one[0]}}, false},
		{"zero dot", Causal, State{Clock{{1, 5}}, []Sibling{{}}}, false},
		{"tombstone with a value", Causal, State{Clock{{1, 5}}, []Sibling{{Dot: Dot{1, 5}, Tombstone: true, Value: []byte("x")}}}, false},
		{"negative expiry", Causal, State{Clock{{1, 5}}, []Sibling{{Dot: Dot{1, 5}, Expires: -1}}}, false},
		{"last write", LastWriteWins, State{nil, one}, true},
		{"last write with a clock", LastWriteWins, State{Clock{{1, 5}}, one}, false},
		{"two last writes", LastWriteWins, State{nil, []Sibling{{Dot: Dot{1, 5}}, {Dot: Dot{2, 5}}}}, false},
		{"unknown policy", 7, State{}, false},
	} {
		err := c.state.Validate(c.policy)
		if c.ok {
			require.NoError(t, err, c.name)
		} else {
			require.ErrorIs(t, err, ErrMalformed, c.name)
		}
	}
}

func TestWritesAreStatesOfOneSibling(t *testing.T) {
	s := Sibling{Dot: Dot{2, 9}, Value: []byte("v")}
	require.Equal(t, State{Clock{{1, 5}, {2, 9}}, []Sibling{s}}, WriteState(Causal, Clock{{1, 5}}, s))
	require.Equal(t, State{nil, []Sibling{s}}, WriteState(LastWriteWins, nil, s))
}

func TestCoversTellsWhatAJoinWouldNotChange(t *testing.T) {
	causal := State{Clock{{1, 5}, {2, 9}}, []Sibling{{Dot: Dot{2, 9}}}}
	require.True(t, causal.Covers(Causal, Dot{1, 5}))
	require.False(t, causal.Covers(Causal, Dot{1, 6}))
	last := State{nil, []Sibling{{Dot: Dot{2, 9}}}}
	require.True(t, last.Covers(LastWriteWins, Dot{2, 9}))
	require.True(t, last.Covers(LastWriteWins, Dot{1, 9}))
	require.False(t, last.Covers(LastWriteWins, Dot{3, 9}))
	require.False(t, State{}.Covers(LastWriteWins, Dot{1, 1}))
}

func TestSiblingsAreFoundByDot(t *testing.T) {
	s := State{Clock{{1, 5}, {2, 9}}, []Sibling{{Dot: Dot{1, 5}, Value: []byte("a")}, {Dot: Dot{2, 9}}}}
	got, ok := s.Sibling(Dot{1, 5})
	require.True(t, ok)
	require.Equal(t, "a", string(got.Value))
	_, ok = s.Sibling(Dot{1, 4})
	require.False(t, ok)
	require.True(t, s.Has(Dot{2, 9}))
	require.False(t, s.Has(Dot{2, 8}))
}

func TestStatesWithoutValuesKeepEverythingElse(t *testing.T) {
	s := State{Clock{{1, 5}}, []Sibling{{Dot: Dot{1, 5}, Value: make([]byte, 100), Expires: 7}}}
	bare := s.WithoutValues()
	require.True(t, s.Equal(bare))
	require.Equal(t, s.Digest(), bare.Digest())
	require.Nil(t, bare.Siblings[0].Value)
	require.EqualValues(t, 7, bare.Siblings[0].Expires)
	require.Len(t, s.Siblings[0].Value, 100, "states are immutable")
	require.Equal(t, 100, s.Size()-bare.Size())
	require.Zero(t, State{}.Size())
}

func TestExpiredSiblingsReadAsDeleted(t *testing.T) {
	now := time.UnixMilli(1_000)
	require.False(t, Sibling{}.DeletedAt(now))
	require.False(t, Sibling{Expires: 1_001}.DeletedAt(now))
	require.True(t, Sibling{Expires: 1_000}.DeletedAt(now))
	require.True(t, Sibling{Tombstone: true}.DeletedAt(now))
}
