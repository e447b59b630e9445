package ring

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

type vnode struct {
	point uint64
	node  int32
}

func (h Hash) point(id string, index, attempt uint32) uint64 {
	var b [8]byte
	binary.BigEndian.PutUint32(b[:4], index)
	binary.BigEndian.PutUint32(b[4:], attempt)
	return h.sum(id, string(b[:]))
}

type pointFunc func(id string, index, attempt uint32) uint64

func place(cfg Config, nodes []Node, hash pointFunc) ([]int32, error) {
	var vs []vnode
	for i, n := range nodes {
		for j := range n.vnodes(cfg) {
			vs = append(vs, vnode{hash(n.ID, uint32(j), 0), int32(i)})
		}
	}
	slices.SortFunc(vs, func(a, b vnode) int {
		return cmp.Or(cmp.Compare(a.point, b.point), cmp.Compare(nodes[a.node].ID, nodes[b.node].ID))
	})
	stride := min(MaxOwners, len(nodes))
	table := make([]int32, 0, stride*cfg.Partitions)
	for p := range cfg.Partitions {
		start := uint64(p) * (^uint64(0)/uint64(cfg.Partitions) + 1)
		at := sort.Search(len(vs), func(i int) bool { return vs[i].point >= start })
		var list, rest []int32
		zones := map[string]bool{}
		for k := range vs {
			o := vs[(at+k)%len(vs)].node
			if contains(list, o) || contains(rest, o) {
				continue
			}
			if zones[nodes[o].Zone] {
				rest = append(rest, o)
			} else {
				zones[nodes[o].Zone] = true
				list = append(list, o)
			}
			if len(list) == stride || len(list)+len(rest) == len(nodes) {
				break
			}
		}
		list = append(list, rest...)
		table = append(table, list[:stride]...)
	}
	return table, nil
}
