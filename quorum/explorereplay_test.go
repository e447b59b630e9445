package quorum

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// key is all that the world's further course depends on, the names of owners and
// of replayers left out.
func (m *replayWorld) key() uint64 {
	return min(m.keyInOrder(0, 1), m.keyInOrder(1, 0))
}

func (m *replayWorld) keyInOrder(order ...int) uint64 {
	var parts [3]uint64
	for i, o := range m.owners {
		parts[i] = bit(o.holds)<<3 | bit(o.synced)<<2 | bit(o.refuses)<<1 | bit(o.lost)
		for _, k := range order {
			parts[i] = parts[i]<<6 | m.replayers[k].part(i)
		}
	}
	slices.Sort(parts[:])
	key := parts[0]<<32 | parts[1]<<16 | parts[2]
	for _, k := range order {
		r := &m.replayers[k]
		settling := r.s != nil
		key = key<<4 | bit(r.w != nil)<<3 | bit(settling)<<2 |
			bit(settling && r.s.merging)<<1 | bit(settling && !r.s.state.IsZero())
	}
	return key<<2 | bit(m.repairing)<<1 | bit(m.over)
}

// part is all that the replayer knows of one owner. What a Write has decided
// follows from that.
func (r *replayer) part(i int) uint64 {
	var sets [6]Set
	switch {
	case r.w != nil:
		sets = [6]Set{r.down, r.w.out, r.w.applied, r.w.amnesiac, r.w.unseen, r.w.seen}
	case r.s != nil:
		sets = [6]Set{r.down, r.s.out, r.s.applied, r.s.amnesiac}
	}
	var part uint64
	for _, s := range sets {
		part = part<<1 | bit(s.Has(i))
	}
	return part
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// A replaySearch goes through every world that can come of the first one, those
// with the shortest way there first.
type replaySearch struct {
	known map[uint64]struct{}
	from  []int32 // by world, the one that it came of
	moves []replayMove
	steps int
}

func (x *replaySearch) way(id int32, last replayMove) string {
	lines := []string{last.String()}
	for ; id > 0; id = x.from[id] {
		lines = append(lines, x.moves[id].String())
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// searchReplays returns what is wrong with the nearest world that is wrong, and
// how it comes to that; nothing if all are as they must be.
func searchReplays(t *testing.T, replayers int, off rules) (x *replaySearch, wrong, way string) {
	type found struct {
		world replayWorld
		id    int32
	}
	x = &replaySearch{known: map[uint64]struct{}{}, from: []int32{0}, moves: make([]replayMove, 1)}
	first := replayWorld{both: replayers == 2}
	x.known[first.key()] = struct{}{}
	for front := []found{{world: first}}; len(front) > 0 && wrong == ""; {
		var next []found
		for _, f := range front {
			f.world.moves(func(move replayMove) {
				if wrong != "" {
					return
				}
				x.steps++
				world, bad := f.world.after(t, move, off)
				if bad != "" {
					wrong, way = bad, x.way(f.id, move)
					return
				}
				key := world.key()
				if _, known := x.known[key]; known {
					return
				}
				x.known[key] = struct{}{}
				next = append(next, found{world, int32(len(x.from))})
				x.from, x.moves = append(x.from, f.id), append(x.moves, move)
			})
		}
		front = next
	}
	return x, wrong, way
}

func TestWriteThatIsSentOnceMoreIsSettledTheSameInEveryOrder(t *testing.T) { // case 9
	t.Parallel()
	for replayers := 1; replayers <= exploredReplayers; replayers++ {
		x, wrong, way := searchReplays(t, replayers, 0)
		require.Empty(t, wrong, "%s", way)
		t.Logf("quorum: one recorded write, three owners, %d replayers: %d states, %d moves", replayers, len(x.known), x.steps)
	}
}

func TestEachRuleOfAReplayPreventsWhatGoesWrongWithoutIt(t *testing.T) { // case 9
	t.Parallel()
	for _, c := range []struct {
		rule string
		off  rules
		want string
	}{
		{"a coordinator's clock says that nobody will take it", ageByOwnClock, heldAfterAll},
		{"an owner that has forgotten is believed not to have seen it", believeAmnesiacs, heldAfterAll},
		{"two of three are enough to say that nobody has it", decideByLevel, heldAfterAll},
		{"what was seen counts as stored", countSeen, wonInVain},
		{"an owner that has forgotten counts for the level", countAmnesiacs, wonInVain},
	} {
		x, wrong, way := searchReplays(t, 1, c.off)
		require.Equal(t, c.want, wrong, c.rule)
		t.Logf("quorum: if %s (%d moves tried):\n%s\n→ %s", c.rule, x.steps, way, wrong)
	}
}
