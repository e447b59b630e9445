package ring

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// maxAttempts bounds how often one colliding vnode is hashed again. With 64
// bits a first collision is already a rarity; sixteen in a row mean that the
// hash is broken.
const maxAttempts = 16

// pointFunc places one vnode. It is a parameter so that a test can plant
// collisions.
type pointFunc func(id string, index, attempt uint32) uint64

// point hashes a node's id and, in 32 bits each, big endian, the number of the
// vnode and of the attempt.
func (h Hash) point(id string, index, attempt uint32) uint64 {
	return h.sum(id, pair(index, attempt))
}

// probe is the place from which the given walker of a partition sets out.
func (h Hash) probe(partition, walker uint32) uint64 {
	return h.sum("", pair(partition, walker))
}

func pair(a, b uint32) string {
	var out [8]byte
	binary.BigEndian.PutUint32(out[:4], a)
	binary.BigEndian.PutUint32(out[4:], b)
	return string(out[:])
}

// circle is all vnodes in the order of their points, which are distinct
// (invariant 4).
type circle struct {
	points []uint64
	nodes  []int32  // nodes[i] has points[i]; an index into members
	first  []uint64 // by node: the point of its vnode 0
}

type vnode struct {
	point          uint64
	node           int32
	index, attempt uint32
}

// newCircle places the members' vnodes. Where several fall on one point, the
// one of the lowest (id, index) keeps it and the others are hashed again with
// the next attempt, all at once, until no two are equal. The rule looks at
// nothing but ids, so every member of a cluster finds the same points.
func newCircle(members []member, hash pointFunc) (*circle, error) {
	total := 0
	for m := range members {
		total += members[m].weight
	}
	all := make([]vnode, 0, total) // growing it by steps is a quarter of the whole construction
	for m := range members {
		for i := range uint32(members[m].weight) {
			all = append(all, vnode{point: hash(members[m].id, i, 0), node: int32(m), index: i})
		}
	}
	for attempt := 0; ; attempt++ {
		// Members are sorted by id, so comparing their indices compares ids.
		slices.SortFunc(all, func(a, b vnode) int {
			if a.point != b.point {
				return cmp.Compare(a.point, b.point)
			}
			return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.index, b.index))
		})
		if !rehashLosers(all, members, hash) {
			break
		}
		if attempt == maxAttempts {
			return nil, ErrCollision
		}
	}
	c := &circle{
		points: make([]uint64, len(all)),
		nodes:  make([]int32, len(all)),
		first:  make([]uint64, len(members)),
	}
	for i, v := range all {
		c.points[i], c.nodes[i] = v.point, v.node
		if v.index == 0 {
			c.first[v.node] = v.point
		}
	}
	return c, nil
}

// rehashLosers gives a new point to all but the first vnode of every run of
// equal points and reports whether there was such a run.
func rehashLosers(sorted []vnode, members []member, hash pointFunc) (found bool) {
	for i := 0; i < len(sorted); {
		point := sorted[i].point
		for i++; i < len(sorted) && sorted[i].point == point; i++ {
			v := &sorted[i]
			v.attempt++
			v.point = hash(members[v.node].id, v.index, v.attempt)
			found = true
		}
	}
	return found
}

// after returns the index of the first point at or after start, clockwise.
func (c *circle) after(start uint64) int {
	i, _ := slices.BinarySearch(c.points, start)
	if i == len(c.points) {
		return 0
	}
	return i
}
