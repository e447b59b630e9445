//go:build unix

package faulttest

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// Steps at which a process dies.
const (
	beforeLookup   = "before lookup"
	beforeIntent   = "before intent"
	afterIntent    = "after intent"
	afterMerge     = "after a merge"
	beforeResult   = "before result"
	afterResult    = "after result"
	beforeReplaced = "before replace"
	afterReplaced  = "after replace"
	anyMoment      = "at any moment"
)

// steps says how often each one is chosen.
var steps = []string{
	beforeLookup, beforeIntent, afterIntent, afterIntent, afterIntent, afterMerge, afterMerge, afterMerge, beforeResult, afterResult,
	beforeReplaced, afterReplaced, anyMoment,
}

// A doom is where a process dies. Only slow requests count for afterIntent and afterMerge: nobody goes on
// with what is left behind before it is too old.
type doom struct {
	Step   string
	Count  int32 // how often it gets there, that time included
	Merges int32 // of afterMerge: how many writes to nodes' connections come out after the intent is recorded
}

// A mortal is a process that dies of a doom.
type mortal struct {
	doom
	kill func()

	left   atomic.Int32 // times to go
	writes atomic.Int32 // to nodes' connections to go; 0 is not counting
}

func newMortal(d doom, kill func()) *mortal {
	m := &mortal{doom: d, kill: kill}
	m.left.Store(d.Count)
	return m
}

// reach dies if this is the step, and its time has come.
func (m *mortal) reach(step string) {
	if step == m.Step && m.left.Add(-1) == 0 {
		m.kill()
	}
}

// recorded tells that the store has an intent of the process's own: the writes to nodes come next.
func (m *mortal) recorded() {
	m.reach(afterIntent)
	if m.Step == afterMerge && m.left.Add(-1) == 0 {
		m.writes.Store(m.Merges)
	}
}

// sent tells of a write to a node's connection.
func (m *mortal) sent() {
	if m.writes.Load() > 0 && m.writes.Add(-1) == 0 {
		m.kill()
	}
}

// dial makes connections whose writes are counted.
func (m *mortal) dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &mortalConn{conn, m}, nil
}

type mortalConn struct {
	net.Conn
	m *mortal
}

func (c *mortalConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.m.sent()
	return n, err
}

// A mortalStore is the store of a process that dies at its steps.
type mortalStore struct {
	idempotency.Store
	m    *mortal
	slow map[string]bool // the tokens of slow requests
}

func (s *mortalStore) Lookup(ctx context.Context, k idempotency.Key) (idempotency.Record, bool, error) {
	s.m.reach(beforeLookup)
	return s.Store.Lookup(ctx, k)
}

func (s *mortalStore) Begin(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	s.m.reach(beforeIntent)
	rec, mine, err := s.Store.Begin(ctx, k, i, ttl)
	if err == nil && mine && s.slow[k.Token] {
		s.m.recorded()
	}
	return rec, mine, err
}

func (s *mortalStore) Complete(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
	s.m.reach(beforeResult)
	err := s.Store.Complete(ctx, k, i, r, ttl)
	s.m.reach(afterResult)
	return err
}

func (s *mortalStore) Replace(ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	s.m.reach(beforeReplaced)
	rec, mine, err := s.Store.Replace(ctx, k, old, i, ttl)
	s.m.reach(afterReplaced)
	return rec, mine, err
}
