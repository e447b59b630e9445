package ring_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/ring"
)

// The cluster of the figures that the README quotes: 1,000 nodes × 150 vnodes, three owners.
const (
	benchNodes  = 1000
	benchOwners = 3
)

func BenchmarkOwnersOfAToken(b *testing.B) {
	r := mustNew(b, ring.Config{}, cluster(0, benchNodes, 3))
	token := r.Token("acme", "user/4711")
	b.ReportAllocs()
	for b.Loop() {
		token = token*6364136223846793005 + 1442695040888963407
		sinkOwners = r.Owners(r.Partition(token), benchOwners)
	}
}

func BenchmarkOwnersOfAKey(b *testing.B) { benchmarkOwnersOfAKey(b, ring.XXHash64, benchKey) }

func BenchmarkOwnersOfALongKey(b *testing.B) { benchmarkOwnersOfAKey(b, ring.XXHash64, longKey) }

func BenchmarkOwnersOfAKeySHA256(b *testing.B) { benchmarkOwnersOfAKey(b, ring.SHA256, benchKey) }

const benchKey = "user/4711/profile/settings"

var longKey = string(make([]byte, 1024))

func benchmarkOwnersOfAKey(b *testing.B, h ring.Hash, key string) {
	r := mustNew(b, ring.Config{Hash: h}, cluster(0, benchNodes, 3))
	b.ReportAllocs()
	for b.Loop() {
		sinkOwners = r.Owners(r.Partition(r.Token("acme", key)), benchOwners)
	}
}

func BenchmarkBuild1000Nodes(b *testing.B) { benchmarkBuild(b, ring.Config{}) }

func BenchmarkBuild1000NodesSHA256(b *testing.B) { benchmarkBuild(b, ring.Config{Hash: ring.SHA256}) }

func BenchmarkBuild1000Nodes65536Partitions(b *testing.B) {
	benchmarkBuild(b, ring.Config{Partitions: 65536})
}

func benchmarkBuild(b *testing.B, cfg ring.Config) {
	nodes := cluster(0, benchNodes, 3)
	b.ReportAllocs()
	for b.Loop() {
		_, err := ring.New(cfg, nodes)
		require.NoError(b, err)
	}
}

var sinkOwners []int32

func TestLookupAllocatesNothing(t *testing.T) {
	for _, h := range []ring.Hash{ring.XXHash64, ring.SHA256} {
		r := mustNew(t, ring.Config{Hash: h}, cluster(0, 10, 3))
		for _, key := range []string{"k", benchKey, longKey} {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				sinkOwners = r.Owners(r.Partition(r.Token("acme", key)), benchOwners)
			}), "%s, key of %d bytes", h, len(key))
		}
	}
}
