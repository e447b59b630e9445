package ring

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// planted lets the vnodes of all nodes fall on few points at the first
// attempts, so that collisions meet collisions.
func planted(id string, index, attempt uint32) uint64 {
	switch {
	case attempt == 0:
		return uint64(index % 4)
	case attempt == 1:
		return uint64(index % 8)
	}
	return XXHash64.point(id, index, attempt)
}

func TestCollidingPointsAreResolvedTheSameWayInAnyOrderOfNodes(t *testing.T) {
	nodes := []Node{{ID: "a", Zone: "1"}, {ID: "b", Zone: "2"}, {ID: "c", Zone: "1"}, {ID: "d", Zone: "3", Weight: 2}}
	cfg := Config{Partitions: 64, VNodes: 10}
	reversed := slices.Clone(nodes)
	slices.Reverse(reversed)

	members, _ := membersOf(cfg, nodes)
	c, err := newCircle(members, planted)
	require.NoError(t, err)
	require.Len(t, c.points, 50, "no vnode is lost")
	require.Len(t, slices.Compact(slices.Clone(c.points)), 50, "and none shares its point")
	require.True(t, slices.IsSorted(c.points))
	require.Equal(t, uint64(0), c.points[0])
	require.Equal(t, "a", members[c.nodes[0]].id, "the lowest id keeps the point")

	table, err := place(cfg, nodes, planted)
	require.NoError(t, err)
	other, err := place(cfg, reversed, planted)
	require.NoError(t, err)
	for i := range table {
		require.Equal(t, nodes[table[i]].ID, reversed[other[i]].ID)
	}
}

func TestAHashThatAlwaysCollidesIsAnError(t *testing.T) {
	constant := func(string, uint32, uint32) uint64 { return 7 }
	_, err := place(Config{Partitions: 4, VNodes: 2}, []Node{{ID: "a"}}, constant)
	require.ErrorIs(t, err, ErrCollision)
}

func TestWalksMeetNodesInOrderOfDistanceFromTheProbes(t *testing.T) {
	members := []member{{id: "a", weight: 5}, {id: "b", weight: 3}, {id: "c", weight: 9}}
	c, err := newCircle(members, SHA256.point)
	require.NoError(t, err)
	walks := walksOf(c, Config{Partitions: 32})
	for p := range walks {
		type meeting struct {
			distance uint64
			node     int32
		}
		var all []meeting
		for _, start := range walks[p].start {
			for i, point := range c.points {
				all = append(all, meeting{point - start, c.nodes[i]})
			}
		}
		slices.SortFunc(all, func(a, b meeting) int {
			if a.distance < b.distance {
				return -1
			}
			return 1
		})
		for i := range c.points {
			m, ok := walks[p].at(c, i)
			require.True(t, ok)
			require.Equal(t, all[i].node, m)
		}
		_, ok := walks[p].at(c, len(c.points))
		require.False(t, ok)
	}
}
