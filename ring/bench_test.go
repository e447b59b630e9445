package ring_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/ring"
)

func BenchmarkOwners(b *testing.B) {
	r := mustNew(b, ring.Config{}, cluster(0, 1000, 3))
	token := r.Token("acme", "user/4711")
	b.ReportAllocs()
	for b.Loop() {
		token = token*6364136223846793005 + 1442695040888963407
		sinkOwners = r.Owners(r.Partition(token), 3)
	}
}

func BenchmarkKeyToOwners(b *testing.B) {
	for _, h := range []ring.Hash{ring.XXHash64, ring.SHA256} {
		b.Run(h.String(), func(b *testing.B) {
			r := mustNew(b, ring.Config{Hash: h}, cluster(0, 1000, 3))
			b.ReportAllocs()
			for b.Loop() {
				sinkOwners = r.Owners(r.Partition(r.Token("acme", "user/4711/profile/settings")), 3)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	nodes := cluster(0, 1000, 3)
	for name, cfg := range map[string]ring.Config{
		"4096":        {},
		"4096/sha256": {Hash: ring.SHA256},
		"65536":       {Partitions: 65536},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := ring.New(cfg, nodes)
				require.NoError(b, err)
			}
		})
	}
}

var sinkOwners []int32

func TestLookupAllocatesNothing(t *testing.T) {
	long := string(make([]byte, 1024))
	for _, h := range []ring.Hash{ring.XXHash64, ring.SHA256} {
		r := mustNew(t, ring.Config{Hash: h}, cluster(0, 10, 3))
		for _, key := range []string{"k", long} {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				sinkOwners = r.Owners(r.Partition(r.Token("acme", key)), 3)
			}), "%s, key of %d bytes", h, len(key))
		}
	}
}
