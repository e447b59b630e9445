package wire

import (
	"errors"
	"fmt"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// ErrColumns says that a state's clock has more actors than stamps, or fewer.
var ErrColumns = errors.New("clock_actors and clock_stamps differ in length")

// ToState returns the state that m carries; nil is the empty state. Its only
// error wraps ErrColumns: whether the state keeps the rules of its type is for
// the caller to ask (vclock.State.Validate, or vclock.Clock.Validate where an
// answer carries a clock alone).
func ToState(m *storagepb.State) (vclock.State, error) {
	if m == nil {
		return vclock.State{}, nil
	}
	if len(m.ClockActors) != len(m.ClockStamps) {
		return vclock.State{}, fmt.Errorf("%w: %d and %d", ErrColumns, len(m.ClockActors), len(m.ClockStamps))
	}
	var s vclock.State
	if n := len(m.ClockActors); n > 0 {
		s.Clock = make(vclock.Clock, n)
		for i := range s.Clock {
			s.Clock[i] = vclock.Dot{Actor: vclock.Actor(m.ClockActors[i]), Stamp: vclock.Stamp(m.ClockStamps[i])}
		}
	}
	if n := len(m.Siblings); n > 0 {
		s.Siblings = make([]vclock.Sibling, n)
		for i, sibling := range m.Siblings {
			s.Siblings[i] = vclock.Sibling{
				Dot:       vclock.Dot{Actor: vclock.Actor(sibling.GetActor()), Stamp: vclock.Stamp(sibling.GetStamp())},
				Value:     sibling.GetValue(),
				Tombstone: sibling.GetTombstone(),
				Expires:   sibling.GetExpiresMs(),
			}
		}
	}
	return s, nil
}

// FromState returns s as the protocol carries it; nil for the empty state.
func FromState(s vclock.State) *storagepb.State {
	if s.IsZero() {
		return nil
	}
	m := new(storagepb.State)
	if n := len(s.Clock); n > 0 {
		columns := make([]uint64, 2*n)
		m.ClockActors, m.ClockStamps = columns[:n:n], columns[n:]
		for i, dot := range s.Clock {
			m.ClockActors[i], m.ClockStamps[i] = uint64(dot.Actor), uint64(dot.Stamp)
		}
	}
	if n := len(s.Siblings); n > 0 {
		// One allocation for all siblings of the state; their usual number is one.
		space := make([]storagepb.Sibling, n)
		m.Siblings = make([]*storagepb.Sibling, n)
		for i := range s.Siblings {
			from, to := &s.Siblings[i], &space[i]
			to.Actor, to.Stamp = uint64(from.Dot.Actor), uint64(from.Dot.Stamp)
			to.Value, to.Tombstone, to.ExpiresMs = from.Value, from.Tombstone, from.Expires
			m.Siblings[i] = to
		}
	}
	return m
}
