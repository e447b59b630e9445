package ring

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
)

// Short and long input are hashed in different ways: the lengths enclose where they part.
func TestASumIsTheHashOfOneInputWhateverItsLength(t *testing.T) {
	for _, whole := range []int{0, shortInput, wholeInput} {
		for a := range 40 {
			for b := max(0, whole-50); b < whole+10; b++ {
				left, right := strings.Repeat("t", a), strings.Repeat("k", b)
				in := append(binary.BigEndian.AppendUint32(nil, uint32(a)), left+right...)
				require.Equal(t, xxhash.Sum64(in), XXHash64.sum(left, right), "%d and %d bytes", a, b)
				out := sha256.Sum256(in)
				require.Equal(t, binary.BigEndian.Uint64(out[:]), SHA256.sum(left, right), "%d and %d bytes", a, b)
			}
		}
	}
}
