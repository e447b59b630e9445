package topology

import (
	"context"
	"fmt"
	"sync"
)

// A Manual is a Source that a program drives: it holds the topology that it was
// last given. All methods may be called from any number of goroutines.
type Manual struct {
	mu      sync.Mutex
	current *Topology     // guarded by mu; nil until a valid one was given
	err     error         // guarded by mu; what Watch answers instead of waiting
	changed chan struct{} // guarded by mu; closed and replaced when current or err changes
}

// NewManual returns a Manual that holds a copy of t. If t breaks a rule, Watch
// returns the error, which is ErrInvalid, until Set is given a topology that does not.
func NewManual(t Topology) *Manual {
	m := &Manual{changed: make(chan struct{})}
	m.err = m.Set(t)
	return m
}

// Set puts a copy of t in force and wakes all who wait in Watch. It refuses, with an
// error that is ErrInvalid, a topology that breaks a rule or may not follow the one
// in force (see Topology.Follows), and changes nothing then. Setting the one in
// force again is no change, and no error. Set ends what Fail began.
func (m *Manual) Set(t Topology) error {
	if err := t.Validate(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.current == nil:
	case m.current.Equal(&t):
		m.wake(m.current, nil)
		return nil
	default:
		if err := t.Follows(m.current); err != nil {
			return err
		}
	}
	m.wake(t.Clone(), nil)
	return nil
}

// Fail makes Watch return err where it would wait, until the next Set or
// Fail(nil). The topology in force stays, and Watch goes on to answer with it
// where it is newer than what the caller has.
func (m *Manual) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wake(m.current, err)
}

// wake needs mu.
func (m *Manual) wake(current *Topology, err error) {
	m.current, m.err = current, err
	close(m.changed)
	m.changed = make(chan struct{})
}

// Watch implements Source.
func (m *Manual) Watch(ctx context.Context, after uint64) (*Topology, error) {
	for {
		m.mu.Lock()
		current, err, changed := m.current, m.err, m.changed
		m.mu.Unlock()

		if current != nil && current.Epoch > after {
			return current, nil
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("topology: wait for an epoch after %d: %w", after, ctx.Err())
		}
	}
}
