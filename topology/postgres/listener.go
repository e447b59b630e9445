package postgres

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/devrev/pairdb/internal/postgres"
)

// The pause before a listener connects again, doubled each time up to the longest, each one between half and all of
// that. Polling goes on meanwhile.
const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 30 * time.Second
)

// A listener is the goroutine that listens for all who wait, and its connection.
type listener struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// end returns when the goroutine has ended. A nil listener has.
func (l *listener) end() {
	if l != nil {
		l.cancel()
		<-l.done
	}
}

// watchChanges returns a channel that is closed when there may be a change, and whether the Store is closed.
func (s *Store) watchChanges() (changed <-chan struct{}, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed, s.closed
}

// wake needs mu.
func (s *Store) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Store) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake()
}

// join starts to listen if nobody does yet.
func (s *Store) join() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	if s.listener != nil || s.closed || !s.notify {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l := &listener{cancel: cancel, done: make(chan struct{})}
	s.listener = l
	go func() {
		defer close(l.done)
		s.listen(ctx)
	}()
}

// leave ends the listening of the last one who waited.
func (s *Store) leave() {
	s.mu.Lock()
	var last *listener
	if s.waiting--; s.waiting == 0 {
		last, s.listener = s.listener, nil
	}
	s.mu.Unlock()
	last.end()
}

// listen wakes all who wait: when it begins to listen, as there may have been changes before; when one is told; and when the
// connection breaks or cannot be made, so that they find out at once whether the database is still there.
func (s *Store) listen(ctx context.Context) {
	pause := shortestPause
	for {
		var since time.Time                       // when it began to listen, if it did
		_ = postgres.Listen(ctx, s.pool, channel, // whoever looks meets the same trouble, and says so
			func() {
				since = time.Now()
				s.wakeAll()
			},
			func(cluster string) {
				if cluster == s.cluster {
					s.wakeAll()
				}
			})
		if ctx.Err() != nil {
			return
		}
		s.wakeAll()
		if !since.IsZero() && time.Since(since) > longestPause { // else it may be refused each time
			pause = shortestPause
		}
		timer := time.NewTimer(pause/2 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		pause = min(2*pause, longestPause)
	}
}
