package node

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Few hashes, so that keys share them; values that grow past their room, and many enough to be rebuilt.
func TestMemoryHoldsWhatAMapWould(t *testing.T) {
	for name, hash := range map[string]func([]byte) uint64{
		"one hash":   func([]byte) uint64 { return 7 },
		"few hashes": func(k []byte) uint64 { return uint64(len(k)) << 32 },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m, want := newMemory(hash), map[string][]byte{}
				for range rapid.IntRange(1, 60).Draw(t, "puts") {
					key := rapid.SampledFrom([]string{"a", "b", "c", "aa", "bb", "", "long key"}).Draw(t, "key")
					value := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, rapid.SampledFrom([]int{0, 1, 31, 32, 33, 500, 3000, 700_000}).Draw(t, "size"))
					require.NoError(t, m.Apply([]KV{{[]byte(key), value}}))
					want[key] = value
				}
				for key, value := range want {
					found, err := m.Get([]byte(key), func(v []byte) error {
						require.True(t, bytes.Equal(value, v), "%q", key)
						return nil
					})
					require.NoError(t, err)
					require.True(t, found)
				}
				found, err := m.Get([]byte("none"), nil)
				require.NoError(t, err)
				require.False(t, found)
				var keys []string
				require.NoError(t, m.Scan(nil, nil, func(k, v []byte) error {
					require.True(t, bytes.Equal(want[string(k)], v))
					keys = append(keys, string(k))
					return nil
				}))
				require.Equal(t, slices.Sorted(maps.Keys(want)), keys)
			})
		})
	}
}

func TestMemoryLetsGoOfWhatWasWrittenOver(t *testing.T) {
	m := newMemory(func([]byte) uint64 { return 0 })
	for i := range 200 {
		require.NoError(t, m.Apply([]KV{{[]byte("k"), make([]byte, 100_000+i*100)}}))
	}
	s := &m.shards[0]
	held := 0
	for _, c := range s.chunks {
		held += cap(c)
	}
	require.Less(t, held, 8<<20, "of 20 MB that were written")
	require.Less(t, s.dead, 2<<20)
}
