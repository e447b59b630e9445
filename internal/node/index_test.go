package node

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// placesOf returns all places that a search for the hash finds.
func (x *index) placesOf(hash uint64) (found []place) {
	for i := x.home(hash); ; i++ {
		slot, p := x.next(hash, i)
		if p == 0 {
			slices.Sort(found)
			return found
		}
		found = append(found, p)
		i = slot
	}
}

func (x *index) slotTo(hash uint64, p place) int {
	for i := x.home(hash); ; i++ {
		slot, found := x.next(hash, i)
		if found == 0 || found == p {
			return slot
		}
		i = slot
	}
}

// Hashes whose homes are near each other and at the table's end, so that searches run into one another and around it.
func TestAnIndexFindsWhatAMapOfListsWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x index
		want := map[uint64][]place{}
		hashes := []uint64{0, 1, 2, 7, 8, 14, 15, 30, 31, hashMask, hashMask - 1, 1 << 40}
		n := 0
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			hash := rapid.SampledFrom(hashes).Draw(t, "hash")
			if had := want[hash&hashMask]; len(had) > 0 && rapid.Bool().Draw(t, "remove or move") {
				p := rapid.SampledFrom(had).Draw(t, "which")
				slot := x.slotTo(hash, p)
				x.mark(slot)
				require.True(t, x.marked(slot))
				had = slices.DeleteFunc(slices.Clone(had), func(o place) bool { return o == p })
				if rapid.Bool().Draw(t, "move") {
					n++
					x.move(slot, placeOf(n, n))
					require.False(t, x.marked(slot))
					had = append(had, placeOf(n, n))
				} else {
					x.remove(slot)
				}
				want[hash&hashMask] = had
				continue
			}
			n++
			x.add(hash, placeOf(n, n))
			want[hash&hashMask] = append(want[hash&hashMask], placeOf(n, n))
		}
		used := 0
		for hash, places := range want {
			slices.Sort(places)
			require.Equal(t, len(places), len(x.placesOf(hash)))
			require.True(t, slices.Equal(places, x.placesOf(hash)))
			used += len(places)
		}
		require.Equal(t, used, x.used)
		require.LessOrEqual(t, 4*x.used, 3*len(x.slots))
	})
}

func TestAPlaceAndAHashComeOutOfASlotAsTheyWentIn(t *testing.T) {
	for _, p := range []place{placeOf(0, 0), placeOf(0, 1<<offsetBits-1), placeOf(1<<16-2, 0), placeOf(1<<16-2, 1<<offsetBits-1)} {
		for _, hash := range []uint64{0, 1, hashMask} {
			slot := slotOf(hash, p) | slotMark
			require.Equal(t, p, slotPlace(slot))
			require.Equal(t, hash, slotHash(slot))
		}
	}
	p := placeOf(65_534, 1<<20)
	require.Equal(t, 65_534, p.chunk())
	require.Equal(t, 1<<20, p.offset())
}
