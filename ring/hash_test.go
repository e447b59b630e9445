package ring

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
)

// Short and long input are hashed in different ways, and so are short and long keys: the lengths
// enclose where they part. Bytes that are near each other differ, so that one out of place shows.
func TestASumIsTheHashOfOneInputWhateverItsLength(t *testing.T) {
	bytes := make([]byte, wholeInput+50)
	for i := range bytes {
		bytes[i] = byte(i*7 + i/256)
	}
	all := string(bytes)
	check := func(a, b int) {
		left, right := all[:a], all[a:a+b]
		in := append(binary.BigEndian.AppendUint32(nil, uint32(a)), left+right...)
		fast, out := XXHash64.sum(left, right), sha256.Sum256(in)
		if fast != xxhash.Sum64(in) || SHA256.sum(left, right) != binary.BigEndian.Uint64(out[:]) {
			require.FailNow(t, "another hash", "%d and %d bytes", a, b)
		}
	}
	for a := range shortInput + 10 {
		for b := range shortInput + 10 {
			check(a, b)
		}
	}
	for a := range 40 {
		for b := wholeInput - 50; b < wholeInput+10; b++ {
			check(a, b)
		}
	}
}
