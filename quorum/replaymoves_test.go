package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// after returns the world after a move, and what is wrong with it, if anything.
func (m replayWorld) after(t *testing.T, move replayMove, off rules) (next replayWorld, wrong string) {
	if move.k < 0 {
		m.happen(move)
	} else {
		wrong = m.act(t, move, off)
	}
	for _, o := range m.owners {
		if m.over && o.holds && wrong == "" {
			wrong = heldAfterAll
		}
	}
	return m, wrong
}

// What must not be.
const (
	heldAfterAll = "the write was said never to have been applied, and an owner holds it"
	wonInVain    = "the level was reached, and too few owners have the write on disk"
)

func (m *replayWorld) happen(move replayMove) {
	o := &m.owners[move.i]
	switch move.what {
	case arrives, lands:
		o.holds = true
	case syncs:
		o.synced = true
	case crashes:
		o.holds = false
	case reads:
		m.repairing = true
	case wiped:
		*o = replayOwner{lost: true, refuses: o.refuses}
	default:
		panic(move.what)
	}
}

// act lets a replayer go on, and brings it to its end when there is nothing to
// wait for.
func (m *replayWorld) act(t *testing.T, move replayMove, off rules) (wrong string) {
	r := &m.replayers[move.k]
	switch {
	case r.w == nil && r.s == nil:
		m.begin(t, r, move, off)
	case r.w != nil:
		w := *r.w
		m.answerWrite(&w, move)
		r.w = &w
	default:
		s := *r.s
		m.answerSettle(&s, move)
		r.s = &s
	}
	return m.end(t, r, off)
}

func (m *replayWorld) begin(t *testing.T, r *replayer, move replayMove, off rules) {
	p := writeOf(three, Quorum, vclock.Causal)
	if move.i < 3 {
		r.down = SetOf(move.i)
	}
	p.Down = r.down
	if move.what == begins {
		p.Amnesiac = m.lost()
	}
	r.w = new(Write)
	require.NoError(t, r.w.Init(p))
	r.w.without = off
	r.w.Start()
}

func (m *replayWorld) answerWrite(w *Write, move replayMove) {
	o := &m.owners[move.i]
	switch move.what {
	case takes:
		o.holds, o.synced = true, true
		w.Reply(move.i, Ack{Live: true, Amnesiac: o.lost})
	case tooOld:
		o.refuses = true
		f := TooOld
		if o.holds {
			f = TooOldSeen
		}
		w.Refuse(move.i, Refusal{Failure: f, Amnesiac: o.lost})
	case refuses:
		w.Fail(move.i, Refused)
	default:
		w.Fail(move.i, Unanswered)
	}
}

func (m *replayWorld) answerSettle(s *Settle, move replayMove) {
	o := &m.owners[move.i]
	switch move.what {
	case tells:
		a := SettleAnswer{Amnesiac: o.lost}
		if o.synced {
			a.State = older
			m.repairing = true // what it reads it may send, and that may be late
		}
		s.Reply(move.i, a)
	case stores:
		o.holds, o.synced = true, true
		s.Reply(move.i, SettleAnswer{Amnesiac: o.lost})
	default:
		s.Fail(move.i, Unanswered)
	}
}

// end draws the conclusions of a replayer that has heard enough.
func (m *replayWorld) end(t *testing.T, r *replayer, off rules) (wrong string) {
	switch {
	case r.w != nil && r.w.Outcome() == Won, r.s != nil && r.s.Outcome() == Won:
		*r = replayer{}
		return m.judgeWon()
	case r.w != nil && r.w.Outstanding() == 0:
		fate, holders := r.w.Fate()
		lost := r.w.amnesiac
		r.w = nil
		m.over = m.over || fate == NeverApplied
		if fate == Applied {
			p := settleOf(three, Quorum, holders)
			p.Down, p.Amnesiac = r.down, lost
			r.s = new(Settle)
			require.NoError(t, r.s.Init(p))
			r.s.without = off
			r.s.Start()
		}
	}
	if r.w == nil && (r.s == nil || r.s.Outcome() != Pending) {
		*r = replayer{}
	}
	return ""
}

func (m *replayWorld) judgeWon() (wrong string) {
	stored := 0
	for _, o := range m.owners {
		if o.synced && !o.lost {
			stored++
		}
	}
	if stored < 2 {
		return wonInVain
	}
	return ""
}
