package vclock

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// The seeds are in testdata/fuzz, with every input that once failed.

func FuzzDecodeState(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		p, s, err := DecodeState(b)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.True(t, bytes.Equal(b, AppendState(nil, p, s)), "a state has one form")
		require.NoError(t, s.validateParts(p))
		require.True(t, Join(p, s, s).Equal(s))
	})
}

func FuzzDecodeClock(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeClock(b)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		require.True(t, bytes.Equal(b, AppendClock(nil, c)), "a clock has one form")
		require.NoError(t, c.Validate())
	})
}

func FuzzContextText(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		var x Context
		if err := x.UnmarshalText(text); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			require.True(t, x.IsZero())
			return
		}
		require.Equal(t, string(text), x.String(), "a context has one form")
		c, err := x.Clock(Scope("c", "t", "k"))
		if err == nil {
			require.NoError(t, c.Validate())
		} else {
			require.True(t, errors.Is(err, ErrForeignContext) || x.IsZero())
		}
	})
}
