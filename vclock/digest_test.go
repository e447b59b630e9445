package vclock

import (
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
)

// plainDigest is the digest as storagepb/storage.proto words it.
func plainDigest(s State) uint64 {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(s.Clock)))
	dots := append(Clock(nil), s.Clock...)
	for _, sib := range s.Siblings {
		dots = append(dots, sib.Dot)
	}
	for _, d := range dots {
		b = binary.LittleEndian.AppendUint64(b, uint64(d.Actor))
		b = binary.LittleEndian.AppendUint64(b, uint64(d.Stamp))
	}
	return xxhash.Sum64(b)
}

func TestDigestsAreWhatTheProtocolSays(t *testing.T) {
	require.Zero(t, State{}.Digest())
	for n := 1; n < 70; n++ {
		var s State
		for i := range n {
			d := Dot{Actor: Actor(i + 1), Stamp: Stamp(n)}
			s.Clock = append(s.Clock, d)
			if i%2 == 0 {
				s.Siblings = append(s.Siblings, Sibling{Dot: d, Value: []byte("left out")})
			}
		}
		require.Equal(t, plainDigest(s), s.Digest(), n)
	}
	golden := State{Clock{{0x100, 1}, {0x200, 2}}, []Sibling{{Dot: Dot{0x200, 2}}}}
	require.EqualValues(t, uint64(goldenDigest), golden.Digest())
}

// goldenDigest is that of the clock (256, 1), (512, 2) with the sibling (512, 2),
// for other implementations to check themselves.
const goldenDigest = 0x149b148de1542e50

func TestDigestsTellApartWhatSiblingsAloneDoNot(t *testing.T) {
	d := []Sibling{{Dot: Dot{1, 5}}}
	short, grown := State{Clock{{1, 5}}, d}, State{Clock{{1, 5}, {2, 5}}, d}
	require.NotEqual(t, short.Digest(), grown.Digest())
	require.False(t, short.Equal(grown))
	last := State{nil, d}
	require.NotEqual(t, short.Digest(), last.Digest())
}
