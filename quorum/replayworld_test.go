package quorum

import (
	"fmt"
	"slices"
)

// A replayWorld is all there is around one recorded write: three owners, the
// coordinator that sent it first, and others that meet the record and send it once
// more. It is as bad as it may be:
//
//   - Each of the first coordinator's merges arrives at any moment, late, never or
//     more than once; so do those of a replayer that got no answer.
//   - Each owner's window closes at any moment. That matters only once a refusal
//     was told; an owner that has told one refuses for ever.
//   - An owner may crash and forget what it had not synced, and a refusal
//     may speak of that. Acknowledgements and reads wait for the disk.
//   - A reader may read any owner that holds the write and send it to others, as a
//     node's merge; that arrives at any moment, or more than once.
//   - One owner may lose its store, once, and say so from then on, unless some
//     request counts on its acknowledgement (promise P1 assumes disks that keep
//     what they synced). The window stays closed where a refusal was told, for a
//     disk that is lost does not turn the clock back.
//   - A replayer may find an owner down, or get no answer, or another refusal.
type replayWorld struct {
	owners    [3]replayOwner
	repairing bool // a node's merge of the write is on its way
	over      bool // somebody has said that the write was never applied
	replayers [2]replayer
	both      bool // the second replayer is there
}

type replayOwner struct {
	holds, synced bool
	refuses       bool // has told a refusal for age
	lost          bool // its store, and is known for it
}

// A replayer is a coordinator that met the record: idle, with a Write or with a
// Settle under way. The machines are never changed in place.
type replayer struct {
	w    *Write
	s    *Settle
	down Set
}

// A replayMove is one thing that happens: to owner i, and to replayer k if it is
// a replayer's.
type replayMove struct {
	what replayEvent
	k, i int
}

type replayEvent string

const (
	arrives  replayEvent = "a merge of the first coordinator reaches"
	syncs    replayEvent = "what it holds is on the disk of"
	crashes  replayEvent = "what is not on its disk is forgotten by"
	reads    replayEvent = "a reader begins a repair with what is held by"
	lands    replayEvent = "a repair reaches"
	wiped    replayEvent = "its store is lost to"
	begins   replayEvent = "begins with all owners up, but for"
	takes    replayEvent = "has its merge taken by"
	tooOld   replayEvent = "is refused as too old by"
	refuses  replayEvent = "is refused for another reason by"
	silent   replayEvent = "gets no answer from"
	tells    replayEvent = "is told the state of"
	stores   replayEvent = "has what it settles stored by"
	ignorant replayEvent = "does not know beforehand what was lost, and begins with all up, but for"
)

func (m replayMove) String() string {
	whom := "none"
	if m.i < 3 {
		whom = fmt.Sprintf("n%d", m.i+1)
	}
	if m.k < 0 {
		return fmt.Sprintf("%s %s", m.what, whom)
	}
	return fmt.Sprintf("replayer %d %s %s", m.k+1, m.what, whom)
}

// moves yields what may happen next.
func (m *replayWorld) moves(yield func(replayMove)) {
	for i, o := range m.owners {
		happens := func(may bool, what replayEvent) {
			if may {
				yield(replayMove{what, -1, i})
			}
		}
		happens(!o.refuses && !o.holds, arrives)
		happens(o.holds && !o.synced, syncs)
		happens(o.holds && !o.synced, crashes)
		happens(o.synced && !m.repairing, reads)
		happens(!o.holds && m.repairing, lands)
		happens(m.lost() == 0 && !m.countedOn(i), wiped)
	}
	m.replayerMoves(0, yield)
	if m.both {
		m.replayerMoves(1, yield)
	}
}

func (m *replayWorld) replayerMoves(k int, yield func(replayMove)) {
	r := &m.replayers[k]
	switch {
	case r.w == nil && r.s == nil:
		for down := range 4 { // 3 is none
			if m.both && down < 3 {
				continue // an owner that gives no answer stands for one that is down
			}
			yield(replayMove{begins, k, down})
			if m.lost() != 0 {
				yield(replayMove{ignorant, k, down})
			}
		}
	case r.w != nil:
		for i := range r.w.Outstanding().All {
			if !m.owners[i].refuses {
				yield(replayMove{takes, k, i})
			}
			yield(replayMove{tooOld, k, i})
			yield(replayMove{refuses, k, i})
			yield(replayMove{silent, k, i})
		}
	default:
		for i := range r.s.Outstanding().All {
			if o := m.owners[i]; r.s.merging {
				yield(replayMove{stores, k, i})
			} else if o.holds == o.synced {
				yield(replayMove{tells, k, i})
			}
			yield(replayMove{silent, k, i})
		}
	}
}

func (m *replayWorld) lost() Set {
	var s Set
	for i, o := range m.owners {
		if o.lost {
			s = s.With(i)
		}
	}
	return s
}

func (m *replayWorld) countedOn(i int) bool {
	return slices.ContainsFunc(m.replayers[:], func(r replayer) bool {
		return r.w != nil && r.w.Acked().Has(i) || r.s != nil && r.s.Acked().Has(i)
	})
}
