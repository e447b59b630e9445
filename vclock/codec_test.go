package vclock

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// storedStates draws valid states of any shape.
var storedStates = rapid.Custom(func(t *rapid.T) State {
	s := State{Clock: seenClocks.Draw(t, "clock").clock()}
	for i := range s.Clock {
		if i > 0 && rapid.Bool().Draw(t, "covered only") {
			continue
		}
		sib := Sibling{Dot: s.Clock[i], Expires: rapid.Int64Min(0).Draw(t, "expires")}
		if sib.Tombstone = rapid.Bool().Draw(t, "tombstone"); !sib.Tombstone {
			sib.Value = rapid.SliceOf(rapid.Byte()).Draw(t, "value")
		}
		s.Siblings = append(s.Siblings, sib)
	}
	return s
})

func TestStatesSurviveTheirBinaryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, p := storedStates.Draw(t, "state"), Causal
		if rapid.Bool().Draw(t, "last write wins") {
			p, s.Clock, s.Siblings = LastWriteWins, nil, s.Siblings[:min(1, len(s.Siblings))]
		}
		b := AppendState([]byte("before"), p, s)
		gotPolicy, got, err := DecodeState(b[len("before"):])
		require.NoError(t, err)
		require.Equal(t, p, gotPolicy)
		require.True(t, s.Equal(got))
		for i := range s.Siblings {
			require.Equal(t, s.Siblings[i].Value, got.Siblings[i].Value)
			require.Equal(t, s.Siblings[i].Expires, got.Siblings[i].Expires)
			require.Equal(t, s.Siblings[i].Tombstone, got.Siblings[i].Tombstone)
		}
		c, err := DecodeClock(AppendClock(nil, s.Clock))
		require.NoError(t, err)
		require.Equal(t, Equal, s.Clock.Compare(c))
	})
}

// storedForms are committed bytes: a store written by one build is read by every other.
var storedForms = []struct {
	name   string
	hex    string
	policy Policy
	state  State
}{
	{"absent key", "01000000", Causal, State{}},
	{
		"a value and a tombstone", "010002800205018006" + "02" + "8002050003616263" + "01800603" + "e807", Causal,
		State{Clock{{256, 5}, {257, 768}}, []Sibling{
			{Dot: Dot{256, 5}, Value: []byte("abc")},
			{Dot: Dot{257, 768}, Tombstone: true, Expires: 1_000},
		}},
	},
	{"last write", "0101000180020500" + "00", LastWriteWins, State{nil, []Sibling{{Dot: Dot{256, 5}, Value: []byte{}}}}},
}

func TestStoredFormsStayAsTheyAre(t *testing.T) {
	for _, c := range storedForms {
		require.Equal(t, c.hex, hex.EncodeToString(AppendState(nil, c.policy, c.state)), c.name)
		b, err := hex.DecodeString(c.hex)
		require.NoError(t, err)
		p, s, err := DecodeState(b)
		require.NoError(t, err, c.name)
		require.Equal(t, c.policy, p)
		require.Equal(t, c.state, s, c.name)
	}
}

func TestDecodedValuesAliasTheInputAndCannotGrowIntoIt(t *testing.T) {
	b := AppendState(make([]byte, 0, 64), LastWriteWins, State{nil, []Sibling{{Dot: Dot{1, 1}, Value: []byte("abc")}}})
	_, s, err := DecodeState(b)
	require.NoError(t, err)
	v := s.Siblings[0].Value
	require.Same(t, &b[len(b)-3], &v[0])
	require.Equal(t, 3, cap(v))
}

func TestDecodersRefuseWhatNoEncoderWrites(t *testing.T) {
	for name, h := range map[string]string{
		"nothing":                  "",
		"unknown version":          "02000000",
		"unknown policy":           "01020000",
		"truncated":                "010001",
		"trailing byte":            "0100000000",
		"count beyond the input":   "0100ffffffff0f00",
		"number not minimal":       "0100800000",
		"number overflows":         "0100ffffffffffffffffff7f00",
		"actors repeat":            "0100020105000500",
		"actor overflows":          "01000201050affffffffffffffffff010500",
		"zero stamp":               "010001010000",
		"sibling not covered":      "01000101050101060000",
		"siblings repeat":          "010001010502010500000005000000",
		"unknown flags":            "01000101050101050400",
		"expiry zero":              "0100010105010105020000",
		"negative expiry":          "01000101050101050280808080808080808001" + "00",
		"value longer than input":  "0100010105010105000361",
		"last write with a clock":  "01010101050101050000",
		"two last writes":          "0101000201050000010500" + "00",
		"actor and stamp all ones": "0101" + "00" + "01" + "ffffffffffffffffff02" + "05" + "0000",
	} {
		b, err := hex.DecodeString(h)
		require.NoError(t, err, name)
		_, _, err = DecodeState(b)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
	for _, h := range []string{"", "02", "0101", "010101", "01010105" + "00"} {
		b, _ := hex.DecodeString(h)
		_, err := DecodeClock(b)
		require.ErrorIs(t, err, ErrMalformed, h)
	}
}

func TestEveryTruncatedStateIsRefused(t *testing.T) {
	whole, _ := hex.DecodeString(storedForms[1].hex)
	for n := range whole {
		_, _, err := DecodeState(whole[:n])
		require.ErrorIs(t, err, ErrMalformed, n)
	}
}
