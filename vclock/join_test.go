package vclock

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// reachable draws states of one key that a random history came to: of replicas,
// of coordinators, and of messages on their way.
func reachable(t *rapid.T) (causal, last []State) {
	pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "pick") }
	h := newHistory(pick, 0)
	for range rapid.IntRange(5, historySteps).Draw(t, "steps") {
		h.now++
		h.step()
		require.NoError(t, h.err)
	}
	key := pick(historyKeys)
	add := func(x held) { causal, last = append(causal, x.state), append(last, x.last) }
	for r := range h.replicas {
		add(h.replicas[r][key])
	}
	for _, m := range h.messages {
		if m.key == key {
			add(m.held)
		}
	}
	return causal, last
}

func TestJoinIsCommutativeAssociativeAndIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		causal, last := reachable(t)
		for p, states := range map[Policy][]State{Causal: causal, LastWriteWins: last} {
			draw := rapid.SampledFrom(states)
			a, b, c := draw.Draw(t, "a"), draw.Draw(t, "b"), draw.Draw(t, "c")
			ab := Join(p, a, b)
			require.True(t, ab.Equal(Join(p, b, a)), "commutative")
			require.True(t, Join(p, ab, c).Equal(Join(p, a, Join(p, b, c))), "associative")
			require.True(t, Join(p, a, a).Equal(a), "idempotent")
			require.True(t, Join(p, ab, b).Equal(ab), "absorbing")
			require.True(t, Join(p, State{}, a).Equal(a), "the absent key is neutral")
			require.NoError(t, ab.Validate(p))
			require.Equal(t, ab.Equal(a), ab.Digest() == a.Digest())
		}
	})
}

func TestJoinReturnsTheArgumentThatAlreadyEqualsTheResult(t *testing.T) {
	old := State{Clock{{1, 5}}, []Sibling{{Dot: Dot{1, 5}}}}
	later := State{Clock{{1, 5}, {2, 6}}, []Sibling{{Dot: Dot{2, 6}}}}
	beside := State{Clock{{3, 7}}, []Sibling{{Dot: Dot{3, 7}}}}
	both := Join(Causal, later, beside)
	require.Equal(t, State{Clock{{1, 5}, {2, 6}, {3, 7}}, []Sibling{{Dot: Dot{2, 6}}, {Dot: Dot{3, 7}}}}, both)

	for _, c := range []struct {
		name       string
		a, b, want State
	}{
		{"superseded", old, later, later},
		{"superseding", later, old, later},
		{"seen already", both, beside, both},
		{"not seen yet", beside, both, both},
		{"superseded beside another", both, old, both},
		{"absent key", State{}, old, old},
		{"nothing", old, State{}, old},
	} {
		got := Join(Causal, c.a, c.b)
		require.True(t, c.want.Equal(got), c.name)
		require.Same(t, &c.want.Clock[0], &got.Clock[0], c.name)
		require.Same(t, &c.want.Siblings[0], &got.Siblings[0], c.name)
	}
	require.True(t, Join(Causal, State{}, State{}).IsZero())
}

// A write's context may grow after it was sent, so one copy of it knows of a write that a
// successor of the other copy does not.
func TestJoinKeepsASuccessorAndTheContextThatWasGrownUnderIt(t *testing.T) {
	successor := State{Clock{{1, 5}, {3, 7}}, []Sibling{{Dot: Dot{3, 7}}}}
	grown := State{Clock{{1, 5}, {2, 6}}, []Sibling{{Dot: Dot{1, 5}}}}
	want := State{Clock{{1, 5}, {2, 6}, {3, 7}}, successor.Siblings}
	for _, got := range []State{Join(Causal, successor, grown), Join(Causal, grown, successor)} {
		require.Equal(t, want, got)
		require.Same(t, &successor.Siblings[0], &got.Siblings[0])
	}
}

func TestLastWriteWinsKeepsTheGreatestStampThenActor(t *testing.T) {
	write := func(d Dot) State { return WriteState(LastWriteWins, nil, Sibling{Dot: d}) }
	require.True(t, Join(LastWriteWins, write(Dot{9, 5}), write(Dot{1, 6})).Has(Dot{1, 6}))
	require.True(t, Join(LastWriteWins, write(Dot{9, 6}), write(Dot{1, 6})).Has(Dot{9, 6}))
}
