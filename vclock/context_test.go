package vclock

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestContextsSurviveTheirForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scope, clock := rapid.Uint64().Draw(t, "scope"), seenClocks.Draw(t, "clock").clock()
		x := NewContext(scope, clock)
		require.False(t, x.IsZero())
		require.Equal(t, len(clock), x.Len())

		b, err := x.MarshalBinary()
		require.NoError(t, err)
		var fromBinary Context
		require.NoError(t, fromBinary.UnmarshalBinary(b))
		require.Equal(t, x, fromBinary)

		text, err := x.MarshalText()
		require.NoError(t, err)
		require.Equal(t, x.String(), string(text))
		require.NotContains(t, string(text), "=")
		var fromText Context
		require.NoError(t, fromText.UnmarshalText(text))
		require.Equal(t, x, fromText)

		got, err := fromText.Clock(scope)
		require.NoError(t, err)
		require.Equal(t, Equal, clock.Compare(got))
	})
}

func TestContextsServeNoOtherKey(t *testing.T) {
	scope := Scope("c", "t", "k")
	x := NewContext(scope, Clock{{1, 5}})
	for _, other := range []uint64{Scope("c", "t", "l"), Scope("c", "u", "k"), Scope("d", "t", "k"), Scope("ct", "", "k"), Scope("c", "tk", "")} {
		_, err := x.Clock(other)
		require.ErrorIs(t, err, ErrForeignContext)
	}
	_, err := x.Clock(scope)
	require.NoError(t, err)
}

func TestTheZeroContextIsNoneAndAnEmptyOneIsNot(t *testing.T) {
	var none Context
	require.True(t, none.IsZero())
	require.Empty(t, none.String())
	_, err := none.Clock(0)
	require.ErrorIs(t, err, ErrMalformed)

	empty := NewContext(0, nil)
	require.False(t, empty.IsZero())
	require.NoError(t, none.UnmarshalText([]byte(empty.String())))
	require.False(t, none.IsZero())
	require.NoError(t, none.UnmarshalText(nil))
	require.True(t, none.IsZero())
}

func TestDamagedContextsAreRefusedAndChangeNothing(t *testing.T) {
	x := NewContext(Scope("c", "t", "k"), Clock{{1, 5}, {0x1234567800, 99}})
	b, err := x.MarshalBinary()
	require.NoError(t, err)
	kept := NewContext(7, nil)
	refused := func(b []byte) {
		require.ErrorIs(t, kept.UnmarshalBinary(b), ErrMalformed)
		require.Equal(t, NewContext(7, nil), kept)
	}
	for bit := range len(b) * 8 {
		damaged := append([]byte(nil), b...)
		damaged[bit/8] ^= 1 << (bit % 8)
		refused(damaged)
	}
	for n := 1; n < len(b); n++ {
		refused(b[:n])
	}
	refused(append(b, 0))
	for _, text := range []string{"=", "a", "AQ==", x.String() + "\n", x.String() + "=", " " + x.String(), "+/"} {
		require.ErrorIs(t, kept.UnmarshalText([]byte(text)), ErrMalformed, text)
	}
}

func TestContextsTravelInJSON(t *testing.T) {
	type form struct{ Context Context }
	x := form{NewContext(Scope("c", "t", "k"), Clock{{1, 5}})}
	b, err := json.Marshal(x)
	require.NoError(t, err)
	var got form
	require.NoError(t, json.Unmarshal(b, &got))
	require.Equal(t, x, got)
}
