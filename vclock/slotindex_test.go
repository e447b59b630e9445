package vclock

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestASlotIndexFindsWhatAMapDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x slotIndex
		known := map[KeyHash]slot{}
		entries := make(mintedList, 1)
		// Few bits that differ, in either half, make keys that share places.
		part := rapid.OneOf(rapid.Uint64Range(0, 7), rapid.Uint64(), rapid.Map(rapid.Uint64Range(0, 7), func(v uint64) uint64 { return v << 61 }))
		key := rapid.Custom(func(t *rapid.T) KeyHash { return KeyHash{Hi: part.Draw(t, "Hi"), Lo: part.Draw(t, "Lo")} })
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			k := key.Draw(t, "key")
			require.Equal(t, known[k], x.find(k, entries))
			if at := known[k]; at != 0 {
				x.drop(k, at)
				delete(known, k)
			} else {
				at = slot(len(entries))
				entries = append(entries, minted{key: k})
				x.add(k, at)
				known[k] = at
			}
			require.Equal(t, len(known), x.n)
		}
		for k, at := range known {
			require.Equal(t, at, x.find(k, entries))
		}
	})
}
