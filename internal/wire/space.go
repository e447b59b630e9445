package wire

import "github.com/devrev/pairdb/vclock"

// space is where decoded clocks and siblings are, many in one allocation where
// they all go together.
type space struct {
	slab     int  // elements of one allocation; 0 is just as many as a state takes
	own      bool // values are copied
	dots     []vclock.Dot
	siblings []vclock.Sibling
	lost     int // elements in allocations before
}

// What a frame's space allocates at a time, and the most that it keeps for the next one.
const slabItems, slabKept = 64, 8192

// reset takes back what was handed out.
func (s *space) reset() {
	if s.lost > 0 { // room for as much in one allocation each, the next time
		s.slab = min(2*(s.lost+max(len(s.dots), len(s.siblings))), slabKept)
		s.dots, s.siblings = nil, nil
	}
	clear(s.siblings)
	s.dots, s.siblings, s.lost = s.dots[:0], s.siblings[:0], 0
}

func (s *space) clock(n int) vclock.Clock {
	if n == 0 {
		return nil
	}
	if cap(s.dots)-len(s.dots) < n {
		s.lost += len(s.dots)
		s.dots = make([]vclock.Dot, 0, max(n, s.slab))
	}
	first := len(s.dots)
	s.dots = s.dots[:first+n]
	return s.dots[first : first+n : first+n]
}

// room makes room for one more sibling of the state whose first one is at first, and
// returns where that one is then.
func (s *space) room(first int) int {
	if len(s.siblings) < cap(s.siblings) && (s.slab > 0 || first < len(s.siblings)) {
		return first
	}
	part := s.siblings[first:]
	s.lost += first
	s.siblings = append(make([]vclock.Sibling, 0, max(s.slab, 1, 2*len(part))), part...)
	return 0
}
