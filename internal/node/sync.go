package node

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// floorAhead bounds how far the window's floor is written ahead of what a refusal
// relies on, so that refusals of one minute share one write: a restart takes the
// written floor, which must leave most of the window open.
func floorAhead(window time.Duration) time.Duration { return min(time.Minute, window/4) }

const metaFloor = "floor"

// A proof is what must be on disk before an answer may leave.
type proof struct {
	change uint64 // every change up to this sequence number
	floor  int64  // a window floor of at least this Unix millisecond
}

func (p proof) join(o proof) proof {
	return proof{change: max(p.change, o.change), floor: max(p.floor, o.floor)}
}

// A waiter's done is called once, with the engine's error if it failed. It must
// not block.
type waiter struct {
	until proof
	done  func(err error)
}

// A syncer is the group commit: one goroutine syncs for whoever waits, and while
// it does the next group gathers.
type syncer struct {
	engine Engine
	fail   func(doing string, err error) error
	ahead  time.Duration // floorAhead

	applied atomic.Uint64 // the last sequence number given out (invariant 4)
	changes atomic.Uint64 // on disk
	floor   atomic.Int64  // on disk, and where a restart begins
	syncs   atomic.Uint64

	mu      sync.Mutex // guards waiting, closed, err
	wake    *sync.Cond
	waiting []waiter
	closed  bool
	err     error // the engine has failed; nobody waits any more

	joined chan struct{}
}

// openSyncer reads the floor and starts the goroutine.
func openSyncer(engine Engine, window time.Duration, fail func(string, error) error) (*syncer, error) {
	s := &syncer{engine: engine, fail: fail, ahead: floorAhead(window), joined: make(chan struct{})}
	s.wake = sync.NewCond(&s.mu)
	stored, err := engine.Meta(metaFloor)
	if err != nil {
		return nil, fmt.Errorf("read the window's floor: %w", err)
	}
	switch len(stored) {
	case 0:
	case 8:
		s.floor.Store(int64(binary.BigEndian.Uint64(stored)))
	default:
		return nil, fmt.Errorf("%w: the window's floor has %d bytes", ErrDamaged, len(stored))
	}
	go s.run()
	return s, nil
}

// number names a change that the engine has applied.
func (s *syncer) number() uint64 { return s.applied.Add(1) }

func (s *syncer) holds(p proof) bool {
	return p.change <= s.changes.Load() && p.floor <= s.floor.Load()
}

// await calls done once p is on disk: at once, or from the syncer's goroutine.
func (s *syncer) await(p proof, done func(error)) {
	if s.holds(p) {
		done(nil)
		return
	}
	s.mu.Lock()
	err := s.err
	if err == nil {
		s.waiting = append(s.waiting, waiter{p, done})
		s.wake.Signal()
	}
	s.mu.Unlock()
	if err != nil {
		done(err)
	}
}

// stop makes everybody who waits, or comes to, hear err.
func (s *syncer) stop(err error) {
	s.mu.Lock()
	s.err = err
	s.wake.Signal()
	s.mu.Unlock()
}

// close serves those who wait and joins the goroutine. Nobody may come any more.
func (s *syncer) close() {
	s.mu.Lock()
	s.closed = true
	s.wake.Signal()
	s.mu.Unlock()
	<-s.joined
}

func (s *syncer) run() {
	defer close(s.joined)
	for {
		group, err := s.gather()
		if len(group) == 0 {
			return
		}
		if err == nil {
			err = s.commit(group)
		}
		for _, w := range group {
			w.done(err)
		}
	}
}

// gather returns who waits, at least one, or nobody after close.
func (s *syncer) gather() ([]waiter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) == 0 && !s.closed {
		s.wake.Wait()
	}
	group := s.waiting
	s.waiting = nil
	return group, s.err
}

func (s *syncer) commit(group []waiter) error {
	var need proof
	for _, w := range group {
		need = need.join(w.until)
	}
	if need.floor > s.floor.Load() {
		ahead := need.floor + s.ahead.Milliseconds()
		if err := s.engine.SetMeta(metaFloor, binary.BigEndian.AppendUint64(nil, uint64(ahead))); err != nil {
			return s.fail("store the window's floor", err)
		}
		s.floor.Store(ahead)
	}
	if need.change > s.changes.Load() {
		covered := s.applied.Load() // before the sync begins: invariant 4
		if err := s.engine.Sync(); err != nil {
			return s.fail("sync", err)
		}
		s.changes.Store(covered)
		s.syncs.Add(1)
	}
	return nil
}
