package ring

import (
	"cmp"
	"slices"
)

// member is a node as placement sees it. Members are sorted by id, which makes
// the result independent of the order in which nodes were given.
type member struct {
	id     string
	weight int   // number of vnodes
	zone   int32 // index into the zones, which are sorted by name
	given  int32 // index into the nodes given to New
}

type zone struct{ members []int32 }

// placement is the state of one construction.
type placement struct {
	members    []member
	zones      []zone
	circle     *circle
	walks      []walk
	loads      []int // by member: ownerships so far
	bounds     []int // by member: the most at this place of the lists
	stride     int
	fullRounds int     // at this place of the lists
	table      []int32 // as in Ring, but of members
}

// place computes the preference lists, by the steps of the package comment.
// It fills the first place of all lists, then the second, and so on, so that
// every prefix of the lists is balanced (invariant 5).
func place(cfg Config, nodes []Node, hash pointFunc) ([]int32, error) {
	members, zones := membersOf(cfg, nodes)
	c, err := newCircle(members, hash)
	if err != nil {
		return nil, err
	}
	s := &placement{
		members: members,
		zones:   zones,
		circle:  c,
		walks:   walksOf(c, cfg),
		loads:   make([]int, len(members)),
		stride:  min(MaxOwners, len(members)),
	}
	s.table = make([]int32, s.stride*cfg.Partitions)
	for rank := range s.stride {
		s.bounds = bounds(members, zones, c.first, cfg.Partitions, rank+1)
		s.fullRounds = fullRounds(zones, rank)
		for p := range s.walks {
			list := s.table[p*s.stride : p*s.stride+rank+1]
			m := s.choose(p, list[:rank])
			list[rank] = m
			s.loads[m]++
		}
	}
	for i, m := range s.table {
		s.table[i] = members[m].given
	}
	return s.table, nil
}

func membersOf(cfg Config, nodes []Node) ([]member, []zone) {
	names := make([]string, 0, len(nodes))
	members := make([]member, len(nodes))
	for i, n := range nodes {
		names = append(names, n.Zone)
		members[i] = member{id: n.ID, weight: n.vnodes(cfg), given: int32(i)}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.id, b.id) })
	zones := make([]zone, len(names))
	for i := range members {
		z, _ := slices.BinarySearch(names, nodes[members[i].given].Zone)
		members[i].zone = int32(z)
		zones[z].members = append(zones[z].members, int32(i))
	}
	return members, zones
}

// choose returns the next owner of a partition that has the given owners.
func (s *placement) choose(p int, owners []int32) int32 {
	w := &s.walks[p]
	for i := 0; ; i++ {
		m, ok := w.at(s.circle, i)
		if !ok {
			return s.chooseByScore(w.start[0], owners)
		}
		if s.loads[m] < s.bounds[m] && s.eligible(m, owners) {
			return m
		}
	}
}

// eligible reports whether a member keeps the list distinct and its zones
// spread: it is not an owner, and its zone has given none in this round.
func (s *placement) eligible(m int32, owners []int32) bool {
	inZone := 0
	for _, o := range owners {
		if o == m {
			return false
		}
		if s.members[o].zone == s.members[m].zone {
			inZone++
		}
	}
	return inZone == s.fullRounds
}

// chooseByScore is for partitions whose walk met no member that may be taken:
// of all members that may, the one with the least score (rendezvous hashing);
// if all eligible ones are at their bounds, the one that is fullest by the
// smallest proportion. The spread over zones comes before the bounds.
func (s *placement) chooseByScore(probe uint64, owners []int32) int32 {
	best, relaxed := int32(-1), int32(-1)
	var bestScore uint64
	for z := range s.zones {
		if !s.open(int32(z), owners) {
			continue
		}
		for _, m := range s.zones[z].members {
			if slices.Contains(owners, m) {
				continue
			}
			if s.loads[m] < s.bounds[m] {
				if score := mix(probe ^ s.circle.first[m]); best < 0 || score < bestScore || score == bestScore && m < best {
					best, bestScore = m, score
				}
			} else if relaxed < 0 || s.fuller(relaxed, m) {
				relaxed = m
			}
		}
	}
	if best >= 0 {
		return best
	}
	return relaxed
}

// open reports whether a zone still has to give an owner in this round.
func (s *placement) open(z int32, owners []int32) bool {
	inZone := 0
	for _, o := range owners {
		if s.members[o].zone == z {
			inZone++
		}
	}
	return inZone == s.fullRounds && inZone < len(s.zones[z].members)
}

// fuller reports whether a has more of its bound used up than b, or as much
// and the greater id.
func (s *placement) fuller(a, b int32) bool {
	fullA, fullB := s.loads[a]*s.bounds[b], s.loads[b]*s.bounds[a]
	return fullA > fullB || fullA == fullB && a > b
}

// mix is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
