package ring_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/ring"
)

func TestInvalidInputNamesItsField(t *testing.T) {
	ok := []ring.Node{{ID: "a"}, {ID: "b"}}
	with := func(n ring.Node) []ring.Node { return append(slices.Clone(ok), n) }
	cases := []struct {
		field string
		cfg   ring.Config
		nodes []ring.Node
	}{
		{"Partitions", ring.Config{Partitions: 100}, ok},
		{"Partitions", ring.Config{Partitions: -2}, ok},
		{"Partitions", ring.Config{Partitions: ring.MaxPartitions * 2}, ok},
		{"VNodes", ring.Config{VNodes: -1}, ok},
		{"VNodes", ring.Config{VNodes: ring.MaxVNodes + 1}, ok},
		{"Hash", ring.Config{Hash: 9}, ok},
		{"nodes", ring.Config{}, nil},
		{"nodes", ring.Config{}, make([]ring.Node, ring.MaxNodes+1)},
		{"nodes", ring.Config{VNodes: ring.MaxVNodes}, with(ring.Node{ID: "c", Weight: ring.MaxWeight})[1:]},
		{"nodes[2].ID", ring.Config{}, with(ring.Node{})},
		{"nodes[2].ID", ring.Config{}, with(ring.Node{ID: "a"})},
		{"nodes[2].Weight", ring.Config{}, with(ring.Node{ID: "c", Weight: -1})},
		{"nodes[2].Weight", ring.Config{}, with(ring.Node{ID: "c", Weight: math.NaN()})},
		{"nodes[2].Weight", ring.Config{}, with(ring.Node{ID: "c", Weight: math.Inf(1)})},
	}
	// Weights within their own limit that add up to too many vnodes.
	cases[8].nodes = []ring.Node{{ID: "a", Weight: 1024}, {ID: "b", Weight: 1024}, {ID: "c", Weight: 1024}}
	for _, c := range cases {
		r, err := ring.New(c.cfg, c.nodes)
		require.Nil(t, r)
		require.ErrorIs(t, err, ring.ErrInvalid)
		var field *ring.FieldError
		require.ErrorAs(t, err, &field)
		require.Equal(t, c.field, field.Field, "%v", err)
	}
	_, err := ring.New(ring.Config{}, nil)
	require.ErrorIs(t, err, ring.ErrNoNodes)
}

func TestHashNamesAreReadBack(t *testing.T) {
	for _, h := range []ring.Hash{ring.XXHash64, ring.SHA256} {
		got, err := ring.ParseHash(h.String())
		require.NoError(t, err)
		require.Equal(t, h, got)
	}
	_, err := ring.ParseHash("md5")
	require.ErrorIs(t, err, ring.ErrInvalid)
	require.Equal(t, "hash(7)", ring.Hash(7).String())
}

func TestDefaultsAreFilledIn(t *testing.T) {
	r := mustNew(t, ring.Config{}, cluster(0, 3, 1))
	require.Equal(t, ring.Config{Partitions: 4096, VNodes: 150, Hash: ring.XXHash64}, r.Config())
	require.Equal(t, 4096, r.Partitions())
	require.Equal(t, 3, r.Nodes())
}

func TestTenantAndKeyAreKeptApart(t *testing.T) {
	for _, h := range []ring.Hash{ring.XXHash64, ring.SHA256} {
		r := mustNew(t, ring.Config{Hash: h}, cluster(0, 1, 1))
		require.NotEqual(t, r.Token("ab", "c"), r.Token("a", "bc"))
		require.NotEqual(t, r.Token("a\x00", "b"), r.Token("a", "\x00b"))
		require.NotEqual(t, r.Token("a", ""), r.Token("", "a"))
	}
}

func TestPartitionsTileTokenSpace(t *testing.T) {
	for _, partitions := range []int{1, 2, 4096} {
		r := mustNew(t, ring.Config{Partitions: partitions, VNodes: 1}, cluster(0, 1, 1))
		var next uint64
		for p := range partitions {
			first, last := r.PartitionRange(p)
			require.Equal(t, next, first)
			require.Equal(t, p, r.Partition(first))
			require.Equal(t, p, r.Partition(last))
			next = last + 1
		}
		require.Zero(t, next, "the last partition ends with the last token")
	}
}

func TestOwnersAreCutToWhatThereIs(t *testing.T) {
	r := mustNew(t, ring.Config{Partitions: 8}, cluster(0, 9, 1))
	require.Empty(t, r.Owners(0, 0))
	require.Empty(t, r.Owners(0, -1))
	require.Len(t, r.Owners(7, 99), ring.MaxOwners)
	require.Equal(t, 3, cap(r.Owners(0, 3)), "appending to a shared list must copy it")
	require.Len(t, mustNew(t, ring.Config{Partitions: 8}, cluster(0, 2, 1)).Owners(0, 3), 2)
}

func TestMovedCountsOwnersByIDAndNotByPlace(t *testing.T) {
	nodes := cluster(0, 6, 2)
	reversed := slices.Clone(nodes)
	slices.Reverse(reversed)
	cfg := ring.Config{Partitions: 64}
	a := mustNew(t, cfg, nodes)
	require.Zero(t, ring.Moved(a, mustNew(t, cfg, reversed), 3))
	require.Equal(t, 1.0, ring.Moved(a, mustNew(t, cfg, cluster(1, 6, 2)), 3))
	require.Equal(t, 1.0, ring.Moved(a, mustNew(t, ring.Config{Partitions: 32}, nodes), 3))
	one, two := mustNew(t, cfg, nodes[:1]), mustNew(t, cfg, nodes[:2])
	require.InDelta(t, 0.5, ring.Moved(one, two, 2), 1e-9)
}

func TestMostMovedFindsWhatMovesForAnyReplicationFactorAndInEitherDirection(t *testing.T) {
	cfg := ring.Config{Partitions: 64}
	nodes := cluster(0, 4, 1)
	a := mustNew(t, cfg, nodes)
	require.Zero(t, ring.MostMoved(a, mustNew(t, cfg, nodes)))

	heavier := slices.Clone(nodes)
	heavier[0].Weight = 3
	b := mustNew(t, cfg, heavier)
	require.Zero(t, ring.Moved(a, b, ring.MaxOwners), "with as many owners as nodes nothing moves")
	require.NotZero(t, ring.MostMoved(a, b))

	fewer := mustNew(t, cfg, nodes[:3])
	require.Zero(t, ring.Moved(a, fewer, ring.MaxOwners), "nobody becomes an owner")
	require.NotZero(t, ring.MostMoved(a, fewer))
}

// drawCluster makes a cluster of up to 24 nodes with uneven zones and weights.
func drawCluster(t *rapid.T) (ring.Config, []ring.Node) {
	cfg := ring.Config{
		Partitions: 1 << rapid.IntRange(0, 9).Draw(t, "log2 partitions"),
		VNodes:     rapid.SampledFrom([]int{1, 3, 20, 150}).Draw(t, "vnodes"),
		Hash:       rapid.SampledFrom([]ring.Hash{ring.XXHash64, ring.SHA256}).Draw(t, "hash"),
	}
	ids := rapid.SliceOfNDistinct(rapid.StringN(1, 6, -1), 1, 24, rapid.ID[string]).Draw(t, "ids")
	nodes := make([]ring.Node, len(ids))
	for i, id := range ids {
		nodes[i] = ring.Node{
			ID:     id,
			Zone:   rapid.SampledFrom([]string{"", "a", "b", "b", "c", "c", "c", "d"}).Draw(t, "zone"),
			Weight: rapid.SampledFrom([]float64{0, 1, 1, 0.001, 0.5, 2, 7.25}).Draw(t, "weight"),
		}
	}
	return cfg, nodes
}

func TestListsAreDistinctCompleteAndSpreadOverZones(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, nodes := drawCluster(t)
		r, err := ring.New(cfg, nodes)
		require.NoError(t, err)
		size := map[string]int{}
		for _, n := range nodes {
			size[n.Zone]++
		}
		for p := range r.Partitions() {
			list := r.Owners(p, ring.MaxOwners)
			require.Len(t, list, min(ring.MaxOwners, len(nodes)))
			seen, inZone := map[int32]bool{}, map[string]int{}
			for i, o := range list {
				require.False(t, seen[o], "partition %d: %v", p, list)
				seen[o] = true
				inZone[nodes[o].Zone]++
				require.Equal(t, list[:i+1], r.Owners(p, i+1))
				for z, s := range size {
					if inZone[z] < s {
						require.LessOrEqual(t, inZone[nodes[o].Zone], inZone[z]+1, "partition %d: %v", p, list[:i+1])
					}
				}
			}
		}
	})
}

func TestTheOrderOfNodesChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, nodes := drawCluster(t)
		shuffled := rapid.Permutation(nodes).Draw(t, "shuffled")
		a, err := ring.New(cfg, nodes)
		require.NoError(t, err)
		b, err := ring.New(cfg, shuffled)
		require.NoError(t, err)
		for p := range a.Partitions() {
			x, y := a.Owners(p, ring.MaxOwners), b.Owners(p, ring.MaxOwners)
			require.Len(t, y, len(x))
			for i := range x {
				require.Equal(t, nodes[x[i]].ID, shuffled[y[i]].ID)
			}
		}
	})
}

func TestANodeGetsByItsWeightAndAtMostATenthMore(t *testing.T) {
	nodes := cluster(0, 30, 3)
	weights := 0.0
	for i := range nodes {
		nodes[i].Weight = []float64{0.5, 1, 2, 4}[i/3%4]
		weights += nodes[i].Weight
	}
	r := mustNew(t, ring.Config{}, nodes)
	loads := make([]float64, len(nodes))
	for p := range r.Partitions() {
		for _, o := range r.Owners(p, 3) {
			loads[o]++
		}
	}
	for i, n := range nodes {
		asked := float64(3*r.Partitions()) * n.Weight / weights
		require.LessOrEqual(t, loads[i], max(asked*1.1, math.Ceil(asked)), n.ID)
		require.GreaterOrEqual(t, loads[i], asked*0.8, n.ID)
	}
}
