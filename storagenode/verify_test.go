package storagenode

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/stretchr/testify/require"
)

// manifest returns a file of n records, as Pebble writes a manifest.
func manifest(t testing.TB, n int) []byte {
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for i := range n {
		_, err := w.WriteRecord(bytes.Repeat([]byte{byte(i + 1)}, 100*(i+1)))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestAWholeOrTornManifestIsNotDamage(t *testing.T) {
	whole := manifest(t, 40) // three blocks
	_, _, damaged := damage(whole, nil)
	require.False(t, damaged)
	for cut := range len(whole) {
		if cut%97 != 0 {
			continue
		}
		_, _, damaged = damage(whole[:cut], nil)
		require.False(t, damaged, "cut at %d", cut)
		_, _, damaged = damage(append(bytes.Clone(whole[:cut]), make([]byte, 5000)...), nil)
		require.False(t, damaged, "zeros from %d", cut)
	}
}

func TestAnyChangedByteBeforeTheLastRecordOfAManifestIsDamage(t *testing.T) {
	whole := manifest(t, 10)
	last := len(whole) - 1000 - headerBytes
	for at := range last {
		changed := bytes.Clone(whole)
		changed[at] ^= 0x10
		_, _, damaged := damage(changed, nil)
		require.True(t, damaged, "byte %d", at)
	}
}

func FuzzDamage(f *testing.F) {
	f.Add(manifest(f, 3), false)
	f.Add(manifest(f, 3)[:150], true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, data []byte, isLog bool) {
		var log *uint32
		if isLog {
			log = new(uint32)
		}
		if bad, proof, damaged := damage(data, log); damaged && (bad < 0 || proof <= bad || proof >= len(data)) {
			t.Fatalf("bad %d, proof %d of %d", bad, proof, len(data))
		}
	})
}
