package replica

import (
	"context"
	"math"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

// The tests of this file run in virtual time: what takes an hour there is exact, and takes no time here.

func TestADeadlineEndsTheWaitBeforeAndAfterHandingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		var timeouts []uint32
		n.answer = func(op *storagepb.Operation) *storagepb.Answer {
			timeouts = append(timeouts, op.GetTimeoutMs())
			return nil
		}
		n.start()
		c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight = 1 })
		synctest.Wait()
		begin := time.Now()
		first, second := newBox(1), newBox(1)
		handedOp, waitingOp := read(first), read(second)
		handedOp.Deadline = begin.Add(3 * time.Second)
		waitingOp.Deadline = begin.Add(2 * time.Second)
		require.NoError(t, c.Send(handedOp))
		require.NoError(t, c.Send(waitingOp))

		r := <-second.results
		require.ErrorIs(t, r.Err, ErrExpired)
		require.False(t, r.Handed)
		require.Equal(t, 2*time.Second, r.Latency)
		require.Equal(t, 2*time.Second, time.Since(begin))

		r = <-first.results
		require.ErrorIs(t, r.Err, ErrExpired)
		require.True(t, r.Handed)
		require.Equal(t, 3*time.Second, time.Since(begin))
		require.EqualValues(t, 2, c.Health().Expired)
		require.Equal(t, Up, c.Health().State)
		require.Equal(t, []uint32{3000}, timeouts, "the node is told what is left")
	})
}

func TestAnEarlierDeadlineThanThePlannedSweepIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.answer = func(*storagepb.Operation) *storagepb.Answer { return nil }
		n.start()
		c := n.connect(t, nil)
		synctest.Wait()
		begin := time.Now()
		done := newBox(3)
		for _, after := range []time.Duration{time.Hour, time.Second, time.Second + time.Millisecond} {
			op := read(done)
			op.Deadline = begin.Add(after)
			require.NoError(t, c.Send(op))
		}
		<-done.results
		require.Equal(t, time.Second, time.Since(begin))
		<-done.results
		require.LessOrEqual(t, time.Since(begin), time.Second+time.Duration(sweepEvery))
	})
}

func TestAnOperationThatIsLateAlreadyIsNotHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.start()
		c := n.connect(t, nil)
		synctest.Wait()
		done := newBox(1)
		for range 2 { // the second time the sweeper has just swept, and leaves it to the writer
			began := time.Now()
			op := read(done)
			op.Deadline = began
			require.NoError(t, c.Send(op))
			r := <-done.results
			require.ErrorIs(t, r.Err, ErrExpired)
			require.False(t, r.Handed)
			require.Zero(t, time.Since(began))
			synctest.Wait()
		}
		_, ops, _, _ := n.counts()
		require.Zero(t, ops)
	})
}

func TestWhatIsLeftOfADeadlineIsRoundedUp(t *testing.T) {
	require.EqualValues(t, 0, timeoutMillis(never, 1), "for ever")
	require.EqualValues(t, 1, timeoutMillis(2, 1))
	require.EqualValues(t, 1, timeoutMillis(int64(time.Millisecond), 0))
	require.EqualValues(t, 2, timeoutMillis(int64(time.Millisecond)+1, 0))
	require.EqualValues(t, uint32(math.MaxUint32), timeoutMillis(never-1, 0))
}

func TestAnAnswerAfterTheDeadlineReachesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.answer = func(op *storagepb.Operation) *storagepb.Answer {
			if string(op.GetKey()) == "slow" {
				time.Sleep(time.Second)
			}
			return &storagepb.Answer{Status: storagepb.Status_OK, Detail: string(op.GetKey())}
		}
		n.start()
		c := n.connect(t, nil)
		slow, next := newBox(2), newBox(1)
		op := read(slow)
		op.Key, op.Deadline = "slow", time.Now().Add(500*time.Millisecond)
		require.NoError(t, c.Send(op))
		require.ErrorIs(t, (<-slow.results).Err, ErrExpired)
		require.NoError(t, c.Send(read(next))) // takes the same slot
		r := <-next.results
		require.NoError(t, r.Err)
		require.Equal(t, "k", r.Detail)
		require.Empty(t, slow.results)
	})
}

func TestASilentNodeIsStalledUntilItSaysSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.hold = make(chan struct{})
		n.start()
		c := n.connect(t, nil)
		synctest.Wait()
		require.False(t, c.Health().Stalled)
		done := newBox(1)
		op := read(done)
		op.Deadline = time.Now().Add(100 * time.Millisecond)
		require.NoError(t, c.Send(op))
		require.ErrorIs(t, (<-done.results).Err, ErrExpired)
		require.False(t, c.Health().Stalled)
		time.Sleep(time.Second)
		h := c.Health()
		require.True(t, h.Stalled, "though what it owes has expired")
		require.GreaterOrEqual(t, h.OldestUnanswered, time.Second)
		require.Equal(t, Up, h.State)
		close(n.hold)
		synctest.Wait()
		h = c.Health()
		require.False(t, h.Stalled)
		require.Zero(t, h.OldestUnanswered)
	})
}

func TestAFrozenNodeIsFoundWithoutTraffic(t *testing.T) {
	const goAwayLimit = 5 * time.Second // gRPC waits so long for a blocked write before it gives up
	overBoth(t, func(t *testing.T, grpcOnly bool) {
		within := pingEvery + pingTimeout
		t.Run("answers do not come", func(t *testing.T) { frozen(t, "read", grpcOnly, within) })
		if grpcOnly {
			within += goAwayLimit
		}
		t.Run("nothing goes out", func(t *testing.T) { frozen(t, "write", grpcOnly, within) })
	})
}

func frozen(t *testing.T, dir string, grpcOnly bool, within time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.grpcOnly = grpcOnly
		n.start()
		var frozen atomic.Pointer[chan struct{}]
		c, changes := n.connectFreezable(t, &frozen, dir)
		gate := make(chan struct{})
		frozen.Store(&gate)
		frozenAt := time.Now()
		changes.until(t, Down)
		require.LessOrEqual(t, time.Since(frozenAt), within)
		close(gate)
		frozen.Store(nil)
		changes.until(t, Up)
		done := newBox(1)
		require.NoError(t, c.Send(read(done)))
		require.NoError(t, (<-done.results).Err)
	})
}

// freezable is a connection that can stop to carry anything, one way.
type freezable struct {
	net.Conn
	frozen *atomic.Pointer[chan struct{}]
	dir    string
	closed chan struct{}
	gone   atomic.Bool
}

// connectFreezable returns a Conn that is up, over connections that carry nothing in the direction while frozen has a gate.
func (s *scripted) connectFreezable(t *testing.T, frozen *atomic.Pointer[chan struct{}], dir string) (*Conn, states) {
	changes := make(states, 8)
	c := s.connect(t, func(cfg *Config) {
		cfg.OnChange = changes.tell
		cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
			conn, err := s.dial(ctx, addr)
			return &freezable{Conn: conn, frozen: frozen, dir: dir, closed: make(chan struct{})}, err
		}
	})
	changes.until(t, Up)
	return c, changes
}

func (f *freezable) block(dir string) {
	if gate := f.frozen.Load(); gate != nil && dir == f.dir {
		select {
		case <-*gate:
		case <-f.closed:
		}
	}
}

func (f *freezable) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	f.block("read")
	return n, err
}

func (f *freezable) Write(b []byte) (int, error) {
	f.block("write")
	return f.Conn.Write(b)
}

func (f *freezable) Close() error {
	if f.gone.CompareAndSwap(false, true) {
		close(f.closed)
	}
	return f.Conn.Close()
}

func TestADownNodeIsTriedAgainForEverAndNotTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted() // not started
		changes := make(states, 8)
		n.connect(t, func(cfg *Config) { cfg.OnChange = changes.tell })
		time.Sleep(time.Hour)
		_, _, _, dials := n.counts()
		require.Greater(t, dials, 1800, "at least every 2 s")
		require.Less(t, dials, 10000, "and about every second")
		n.start()
		began := time.Now()
		changes.until(t, Up)
		require.LessOrEqual(t, time.Since(began), backoffLast)
	})
}

func TestAnAttemptThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.greet = make(chan struct{})
		n.start()
		changes := make(states, 8)
		n.connect(t, func(cfg *Config) { cfg.OnChange = changes.tell })
		began := time.Now()
		require.ErrorIs(t, changes.until(t, Down).Err, errAttemptTooLong)
		require.Equal(t, attemptLimit, time.Since(began))
		close(n.greet)
		changes.until(t, Up)
	})
}

func TestAnIdleConnSweepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.start()
		c := n.connect(t, nil)
		done := newBox(1)
		op := read(done)
		op.Deadline = time.Now().Add(5 * time.Second)
		require.NoError(t, c.Send(op))
		<-done.results
		time.Sleep(time.Minute) // the sweep that was planned for op finds nothing
		c.mu.Lock()
		defer c.mu.Unlock()
		require.EqualValues(t, never, c.sweepAt)
	})
}

func TestCloseOfAConnectionThatTakesNothingIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.start()
		var frozen atomic.Pointer[chan struct{}]
		c, _ := n.connectFreezable(t, &frozen, "write")
		gate := make(chan struct{})
		frozen.Store(&gate)
		began := time.Now()
		require.NoError(t, c.Close(t.Context()))
		require.LessOrEqual(t, time.Since(began), goodbyeLimit)
	})
}
