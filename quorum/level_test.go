package quorum

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLevelsNeedWhatTheirNamesSay(t *testing.T) {
	for _, c := range []struct {
		level Level
		needs [8]int // of 0 to 7 owners; 0 cannot be had
	}{
		{Default, [8]int{}},
		{One, [8]int{0, 1, 1, 1, 1, 1, 1, 1}},
		{Two, [8]int{0, 0, 2, 2, 2, 2, 2, 2}},
		{Three, [8]int{0, 0, 0, 3, 3, 3, 3, 3}},
		{Quorum, [8]int{0, 1, 2, 2, 3, 3, 4, 4}},
		{All, [8]int{0, 1, 2, 3, 4, 5, 6, 7}},
		{All + 1, [8]int{}},
	} {
		for n, want := range c.needs {
			need, ok := c.level.Need(n)
			require.Equal(t, want != 0, ok, "%s of %d", c.level, n)
			if ok {
				require.Equal(t, want, need, "%s of %d", c.level, n)
			}
		}
	}
}

func TestTwoQuorumsOfTheSameOwnersShareOne(t *testing.T) {
	for n := 1; n <= MaxOwners; n++ {
		need, _ := Quorum.Need(n)
		require.Greater(t, 2*need, n)
	}
}

func TestParseLevelReadsWhatStringWrites(t *testing.T) {
	for l := Default; l <= All; l++ {
		for _, name := range []string{l.String(), strings.ToUpper(l.String())} {
			parsed, err := ParseLevel(name)
			require.NoError(t, err)
			require.Equal(t, l, parsed)
		}
	}
	for _, name := range []string{"", "four", "quorum ", "level(9)"} {
		_, err := ParseLevel(name)
		require.ErrorIs(t, err, ErrUnknownLevel, "%q", name)
	}
	require.Equal(t, "level(9)", Level(9).String())
}

func TestMaxIsTheLevelThatNeedsMore(t *testing.T) {
	for _, c := range []struct {
		a, b Level
		n    int
		want Level
	}{
		{One, Quorum, 3, Quorum},
		{Quorum, One, 3, Quorum},
		{Two, Quorum, 3, Two}, // the same need: the receiver
		{Quorum, Two, 3, Quorum},
		{Three, Quorum, 3, Three},
		{Three, Quorum, 7, Quorum},
		{All, Quorum, 5, All},
		{Default, One, 3, One},
		{One, Default, 3, One},
		{Two, Three, 2, Three}, // cannot be had, and Init says so
	} {
		require.Equal(t, c.want, c.a.Max(c.b, c.n), "%s and %s of %d", c.a, c.b, c.n)
	}
}

func TestSetsHoldWhatTheyWereGiven(t *testing.T) {
	s := SetOf(3, 0, 13)
	require.Equal(t, 3, s.Len())
	require.True(t, s.Has(13) && !s.Has(1))
	require.Equal(t, SetOf(0, 13), s.Without(3))
	require.Equal(t, SetOf(0, 3, 5, 13), s.With(5))
	require.Equal(t, SetOf(0, 1, 2), FirstN(3))
	require.Equal(t, MaxOwners, FirstN(MaxOwners).Len())
	require.Zero(t, FirstN(0))
	var order []int
	for i := range s.All {
		order = append(order, i)
	}
	require.Equal(t, []int{0, 3, 13}, order)
	for range s.All {
		break
	}
	require.Equal(t, FirstN(4), Owners{Old: FirstN(3), New: SetOf(1, 2, 3)}.Union())
}

func TestEveryValueHasAName(t *testing.T) {
	for want, value := range map[string]interface{ String() string }{
		"pending": Pending, "won": Won, "lost": Lost, "unknown outcome": Lost + 1,
		"not sent": NotSent, "refused": Refused, "unanswered": Unanswered,
		"too old": TooOld, "too old, seen": TooOldSeen, "unknown failure": TooOldSeen + 1,
		"unclear": Unclear, "never applied": NeverApplied, "applied": Applied, "unknown fate": Applied + 1,
	} {
		require.Equal(t, want, value.String())
	}
}
