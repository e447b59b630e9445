package ring

import "math/bits"

// fraction is the number of binary places with which shares are computed:
// ownerships in steps of 1/65,536.
const fraction = 16

// bounds returns, by member, the most ownerships that it may have when every
// partition has n owners: its share, and a little more (invariant 6).
//
// The little more is up to a tenth from n = 3 on, which is the balance
// promised; shares below 20 get a twentieth, since there less would move too
// much. For 1 and 2 it is a quarter: a tight bound on the first places of the
// lists, where shares are smallest, would move many ownerships whenever a node
// comes or goes, and the places behind make up for it.
//
// Each member rounds at a threshold of its own, taken from its vnode 0. With
// a common one, all bounds would fall by one at the same join, and a tenth of
// the data would move with it.
func bounds(members []member, zones []zone, first []uint64, partitions, n int) []int {
	out := make([]int, len(members))
	for i, t := range shares(members, zones, partitions, n) {
		most := t + t/4
		if n > 2 {
			most = max(t+t/20, t+t/10-min(t/10, 1<<fraction))
		}
		out[i] = max(1, int((most+first[i]>>(64-fraction))>>fraction))
	}
	return out
}

// shares returns what each member would own, in fixed point, if partitions
// could be divided: in proportion to weight, as far as the spread over zones
// and "a node owns a partition once" allow.
func shares(members []member, zones []zone, partitions, n int) []uint64 {
	whole := uint64(partitions) << fraction
	full := fullRounds(zones, n-1)
	perZone := make([]portion, len(zones))
	for z := range zones {
		size := len(zones[z].members)
		perZone[z].least = uint64(min(size, full)) * whole
		perZone[z].most = uint64(min(size, full+1)) * whole
		for _, m := range zones[z].members {
			perZone[z].weight += uint64(members[m].weight)
		}
	}
	divide(uint64(n)*whole, perZone)

	out := make([]uint64, len(members))
	for z := range zones {
		inZone := make([]portion, len(zones[z].members))
		for i, m := range zones[z].members {
			inZone[i] = portion{weight: uint64(members[m].weight), most: whole}
		}
		divide(perZone[z].share, inZone)
		for i, m := range zones[z].members {
			out[m] = inZone[i].share
		}
	}
	return out
}

// fullRounds returns in which round, counted from 0, the owner at a rank, also
// counted from 0, is chosen: one per zone and round, of every zone that has a
// node left. So each partition has this many owners of every zone (all of its
// nodes, if it has fewer), and some zones have given one more. The rank must be
// below the number of nodes.
func fullRounds(zones []zone, rank int) int {
	for full := 0; ; full++ {
		given := 0
		for z := range zones {
			given += min(len(zones[z].members), full+1)
		}
		if given > rank {
			return full
		}
	}
}

type portion struct {
	weight, least, most uint64
	share               uint64 // what divide found
	fixed               bool
}

// divide shares total out in proportion to weight, within each portion's
// least and most. Whoever leaves its limits is fixed at the limit and the rest
// is divided again; in each pass only that side is fixed whose violations
// weigh more, since the other side's may vanish (the procedure by which CSS
// flexible boxes are sized). The sums of least and most must enclose total.
func divide(total uint64, portions []portion) {
	for {
		rest, weight := total, uint64(0)
		for _, p := range portions {
			if p.fixed {
				rest -= p.share
			} else {
				weight += p.weight
			}
		}
		var below, above uint64
		for i := range portions {
			p := &portions[i]
			if p.fixed {
				continue
			}
			hi, lo := bits.Mul64(rest, p.weight)
			p.share, _ = bits.Div64(hi, lo, weight)
			if p.share < p.least {
				below += p.least - p.share
			} else if p.share > p.most {
				above += p.share - p.most
			}
		}
		if below == 0 && above == 0 {
			return
		}
		for i := range portions {
			p := &portions[i]
			switch {
			case p.fixed:
			case below >= above && p.share < p.least:
				p.share, p.fixed = p.least, true
			case below < above && p.share > p.most:
				p.share, p.fixed = p.most, true
			}
		}
	}
}
