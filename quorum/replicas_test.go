package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

// replicas are the owners' stores of one key, for tests that follow what becomes
// of the values.
type replicas []vclock.State

// merge joins the state into owner i's store, as a node does, and answers.
func (r replicas) merge(i int, sent vclock.State) Ack {
	r[i] = vclock.Join(vclock.Causal, r[i], sent)
	a := Ack{Live: r[i].Has(sent.Siblings[0].Dot)}
	switch {
	case r[i].Equal(sent):
	case a.Live:
		a.State.Clock = r[i].Clock
	default:
		a.State = r[i]
	}
	return a
}

// write merges a finished write into the given owners.
func (r replicas) write(context vclock.Clock, d vclock.Dot, to ...int) {
	for _, i := range to {
		r.merge(i, vclock.WriteState(vclock.Causal, context, sibling(d)))
	}
}

// deliver applies w at owner i and hands in the answer.
func (r replicas) deliver(w *Write, i int) Step { return w.Reply(i, r.merge(i, w.State())) }

func (r replicas) repair(s Step) {
	for _, repair := range s.Repairs {
		for i := range repair.To.All {
			r[i] = vclock.Join(vclock.Causal, r[i], repair.State)
		}
	}
}

// serve answers all that the read asks, first asked first, until it is decided.
// Owners in empty lost what they had, and say so.
func (r replicas) serve(read *Read, empty Set) Step {
	s := read.Start()
	for !s.Done {
		var next Step
		switch {
		case s.State|s.Clock != 0:
			i := lowest(s.State | s.Clock)
			s.State, s.Clock = s.State.Without(i), s.Clock.Without(i)
			a := Answer{State: r[i], Amnesiac: empty.Has(i)}
			if read.clockOnly {
				a.State.Siblings = nil
			}
			next = read.Reply(i, a)
		default:
			i := lowest(s.Digest)
			s.Digest = s.Digest.Without(i)
			next = read.Reply(i, Answer{IsDigest: true, Digest: read.digest(r[i]), Amnesiac: empty.Has(i)})
		}
		s.State, s.Digest, s.Clock = s.State|next.State, s.Digest|next.Digest, s.Clock|next.Clock
		s.Done, s.Repairs = next.Done, next.Repairs
	}
	return s
}

func lowest(s Set) int {
	for i := range s.All {
		return i
	}
	panic("nobody is asked, and nothing is decided")
}

// all is what a read of every replica would show.
func (r replicas) all() vclock.State {
	var s vclock.State
	for _, state := range r {
		s = vclock.Join(vclock.Causal, s, state)
	}
	return s
}

func started(t *testing.T, p WriteParams, off rules) *Write {
	t.Helper()
	w := new(Write)
	require.NoError(t, w.Init(p))
	w.without = off
	require.Equal(t, p.Owners.Union(), w.Start().Merge)
	return w
}

func reader(t *testing.T, p ReadParams, off rules) *Read {
	t.Helper()
	r := new(Read)
	require.NoError(t, r.Init(p))
	r.without = off
	return r
}

var three = Owners{Old: FirstN(3)}
