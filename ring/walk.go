package ring

const (
	// walkers is how many points of the circle a partition sets out from. One
	// walker sees the lengths of single arcs, which vary; eight at once even
	// them out to a few per cent at 150 vnodes. More gain little.
	walkers = 8
	// walkLimit bounds the vnodes that one partition's walkers meet together.
	// A node that is not met within it is chosen by score instead.
	walkLimit = 128
	// usualWalk is how many of them a partition commonly needs.
	usualWalk = 12
)

// walk meets vnodes in the order in which walkers that go clockwise from each
// of a partition's probes, all at the same speed, would meet them.
type walk struct {
	start [walkers]uint64
	next  [walkers]int32 // index into the circle's points
	met   []int32        // the nodes met so far; a node may be there repeatedly
}

// walksOf sets up the walks of all partitions.
func walksOf(c *circle, cfg Config) []walk {
	all := make([]walk, cfg.Partitions)
	space := make([]int32, usualWalk*cfg.Partitions)
	for p := range all {
		w := &all[p]
		w.met = space[p*usualWalk : p*usualWalk : (p+1)*usualWalk]
		for k := range w.start {
			w.start[k] = cfg.Hash.probe(uint32(p), uint32(k))
			w.next[k] = int32(c.after(w.start[k]))
		}
	}
	return all
}

// at returns the i-th node met, counted from 0, or false past the limit. The
// limit is never above the number of points, so no walker comes round to its
// start, and distances only grow.
func (w *walk) at(c *circle, i int) (node int32, ok bool) {
	if i >= min(walkLimit, len(c.points)) {
		return 0, false
	}
	for len(w.met) <= i {
		nearest, distance := 0, c.points[w.next[0]]-w.start[0]
		for k := 1; k < walkers; k++ {
			if d := c.points[w.next[k]] - w.start[k]; d < distance {
				nearest, distance = k, d
			}
		}
		at := w.next[nearest]
		w.met = append(w.met, c.nodes[at])
		if at++; int(at) == len(c.points) {
			at = 0
		}
		w.next[nearest] = at
	}
	return w.met[i], true
}
