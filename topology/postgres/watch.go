package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/devrev/pairdb/topology"
)

// lookLimit bounds one reading, so that a server which has stopped answering is an error of Watch.
const lookLimit = 10 * time.Second

// Watch implements topology.Source. A cluster that has not been created yet is ErrNotFound, a temporary
// error; a Store that was closed answers ErrClosed.
func (s *Store) Watch(ctx context.Context, after uint64) (*topology.Topology, error) {
	// Before the reading, so that what changes after it is not missed.
	changed, closed := s.watchChanges()
	current, err := s.look(ctx, after)
	if current != nil || err != nil {
		return current, err
	}
	if closed {
		return nil, s.explain(ctx, "watch", ErrClosed)
	}
	s.join()
	defer s.leave()
	for {
		if err := s.pause(ctx, changed); err != nil {
			return nil, fmt.Errorf("watch the topology of %q: %w", s.cluster, err)
		}
		if changed, closed = s.watchChanges(); closed {
			return nil, s.explain(ctx, "watch", ErrClosed)
		}
		if current, err = s.look(ctx, after); current != nil || err != nil {
			return current, err
		}
	}
}

// look reads the topology, and returns what is in force if its epoch is above after. The error is why it could not
// be read, if what was in force before does not answer either.
func (s *Store) look(ctx context.Context, after uint64) (*topology.Topology, error) {
	asked := s.asked.Add(1)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, s.explain(ctx, "watch", ctx.Err())
	}
	err := s.err
	if s.read < asked { // else somebody has read since
		began := s.asked.Load()
		err = s.readOnce(ctx)
		if ended := ctx.Err(); ended != nil {
			return nil, s.explain(ctx, "watch", ended) // which says nothing about the database
		}
		s.read, s.err = began, err
	}
	if s.current != nil && s.current.Epoch > after {
		return s.current, nil
	}
	return nil, s.explain(ctx, "watch", err)
}

// readOnce needs turn. It holds invariant 3.
func (s *Store) readOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	t, err := s.load(ctx, s.pool)
	if err != nil {
		return err
	}
	if s.current != nil {
		if s.current.Equal(t) {
			return nil
		}
		if err := t.Follows(s.current); err != nil {
			return err
		}
	}
	s.current = t
	return nil
}

// pause returns when there may be a change, or ctx's error.
func (s *Store) pause(ctx context.Context, changed <-chan struct{}) error {
	fifth := s.poll / 5
	timer := time.NewTimer(s.poll - fifth + rand.N(2*fifth+1)) // so that not all clients poll at once
	defer timer.Stop()
	select {
	case <-changed:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
