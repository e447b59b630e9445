package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

var errDown = errors.New("connection refused")

// A script is a Reader that does what a test says.
type script struct {
	mu      sync.Mutex
	tenants map[string]tenant.Config // guarded by mu
	err     error                    // guarded by mu; what Get fails with
	hold    chan struct{}            // guarded by mu; what Get waits for between reading and answering
	calls   map[string]int           // guarded by mu
	running int                      // guarded by mu
	most    int                      // guarded by mu; the most that ran at once
}

func newScript(ids ...string) *script {
	s := &script{tenants: make(map[string]tenant.Config), calls: make(map[string]int)}
	for _, id := range ids {
		s.set(tenant.Config{ID: id, Replicas: 3, Version: 1})
	}
	return s
}

func (s *script) Get(ctx context.Context, id string) (tenant.Config, error) {
	s.mu.Lock()
	s.calls[id]++
	s.running++
	s.most = max(s.most, s.running)
	c, ok := s.tenants[id]
	err, hold := s.err, s.hold
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return tenant.Config{}, fmt.Errorf("get: %w", ctx.Err())
		}
	}
	if err != nil {
		return tenant.Config{}, err
	}
	if !ok {
		return tenant.Config{}, fmt.Errorf("tenant %q: %w", id, tenant.ErrNotFound)
	}
	return c, nil
}

func (s *script) set(c tenant.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tenants[c.ID] = c
}

// bump makes a new version of a tenant and returns it.
func (s *script) bump(id string) tenant.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.tenants[id]
	c.Version++
	s.tenants[id] = c
	return c
}

func (s *script) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tenants, id)
}

// fail has each Get from here on fail with err, or succeed for nil.
func (s *script) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// block has each Get from here on read, and then wait for what it returns to be called. A Get
// after that does not wait.
func (s *script) block() (release func()) {
	hold := make(chan struct{})
	s.mu.Lock()
	s.hold = hold
	s.mu.Unlock()
	return sync.OnceFunc(func() {
		s.pass()
		close(hold)
	})
}

// pass has Gets from here on not wait; those who wait do.
func (s *script) pass() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = nil
}

func (s *script) count(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[id]
}

func (s *script) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, calls := range s.calls {
		n += calls
	}
	return n
}

// runs is how many Gets have not ended.
func (s *script) runs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// atOnce is the most Gets that ran at once.
func (s *script) atOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// version gets a tenant that must be served, and returns its version.
func version(t *testing.T, c *tenant.Cache, id string) uint64 {
	t.Helper()
	got, err := c.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, id, got.ID)
	return got.Version
}

// took returns how long f takes.
func took(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// ttl is longer than a config can be fresh with the default options.
const ttl = tenant.DefaultCacheTTL * 11 / 10

// staleLog keeps what listeners are told.
type staleLog struct {
	mu   sync.Mutex
	told []tenant.Stale // guarded by mu
}

func (l *staleLog) add(s tenant.Stale) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, s)
}

func (l *staleLog) all() []tenant.Stale {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]tenant.Stale(nil), l.told...)
}
