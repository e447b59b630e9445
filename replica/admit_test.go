package replica

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

// full is the backlog at which Admit says no by itself, with the MaxInFlight of these tests.
const (
	testInFlight = 400
	full         = testInFlight + maxWaiting - spareWaiting
)

// stuck is a Conn to a node that answers only when told, in a bubble.
func stuck(t *testing.T) (c *Conn, answerAll func()) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	return n.connect(t, func(cfg *Config) { cfg.MaxInFlight = testInFlight }), func() { close(n.greet) }
}

func fill(t *testing.T, c *Conn, h Handler, ops int) {
	t.Helper()
	for range ops {
		require.NoError(t, c.Send(read(h)))
	}
}

func TestABurstIsAdmittedUntilTheLaneIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answerAll := stuck(t)
		done := newBox(maxWaiting + testInFlight)
		for range full {
			require.True(t, c.Admit(0, time.Now(), time.Second).OK)
			require.NoError(t, c.Send(read(done)))
		}
		require.Equal(t, Admission{Backlog: full}, c.Admit(0, time.Now(), time.Second))
		require.True(t, c.Admit(bulkBytes+1, time.Now(), time.Second).OK, "the other lane has room")
		fill(t, c, done, spareWaiting) // what was admitted goes on
		require.ErrorIs(t, c.Send(read(done)), ErrOverloaded)
		answerAll()
		synctest.Wait()
		require.Equal(t, Admission{OK: true}, c.Admit(0, time.Now(), time.Second))
	})
}

func TestALaneThatOverflowedHoldsLittleUntilThreeSecondsHavePassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, answerAll := stuck(t)
		done := newBox(maxWaiting + testInFlight)
		fill(t, c, done, full-1)
		require.True(t, c.Admit(0, time.Now(), time.Second).OK)
		fill(t, c, done, 1)
		require.False(t, c.Admit(0, time.Now(), time.Second).OK)
		// All but as many as it may hold then are taken back.
		for range full - testInFlight/calmShare {
			require.True(t, c.Withdraw(c.small.queue.head))
		}
		require.False(t, c.Admit(0, time.Now(), time.Second).OK)
		require.True(t, c.Withdraw(c.small.queue.head))
		require.True(t, c.Admit(0, time.Now(), time.Second).OK)
		fill(t, c, done, 1)
		time.Sleep(calmFor - 1)
		require.False(t, c.Admit(0, time.Now(), time.Second).OK)
		time.Sleep(time.Nanosecond)
		require.True(t, c.Admit(0, time.Now(), time.Second).OK, "to see whether the load has gone")
		answerAll()
	})
}

func TestWhatWouldWaitForMoreThanHalfOfItsTimeIsNotAdmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.answer = func(*storagepb.Operation) *storagepb.Answer {
			time.Sleep(time.Millisecond)
			return &storagepb.Answer{Status: storagepb.Status_OK}
		}
		n.start()
		c := n.connect(t, nil)
		synctest.Wait()
		done := newBox(4096)
		fill(t, c, done, 3000)
		require.True(t, c.Admit(0, time.Now(), time.Millisecond).OK, "the node's pace is not known yet")
		time.Sleep(1500 * time.Millisecond) // half of them are done
		a := c.Admit(0, time.Now(), time.Hour)
		require.True(t, a.OK)
		require.InDelta(t, 1500, a.Backlog, 520, "answers come by the frame")
		require.Equal(t, time.Duration(a.Backlog)*time.Millisecond, a.Wait.Round(time.Duration(a.Backlog)*time.Millisecond/10))
		require.True(t, c.Admit(0, time.Now(), 2*a.Wait).OK)
		require.False(t, c.Admit(0, time.Now(), 2*a.Wait-2).OK)
		time.Sleep(2 * time.Second)
		fill(t, c, done, 10)
		require.Equal(t, Admission{OK: true, Backlog: 10}, c.Admit(0, time.Now(), 0), "with the backlog went the pace")
	})
}

func TestWhatExpiresSaysNothingOfTheNodesPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newScripted()
		n.answer = func(*storagepb.Operation) *storagepb.Answer { return nil }
		n.start()
		c := n.connect(t, nil)
		synctest.Wait()
		done := newBox(4096)
		fill(t, c, done, paceFrom)
		for i := range 2 * paceEvery {
			op := read(done)
			op.Deadline = time.Now().Add(time.Duration(1+i) * time.Millisecond)
			require.NoError(t, c.Send(op))
		}
		time.Sleep(time.Second)
		require.Equal(t, Admission{OK: true, Backlog: paceFrom}, c.Admit(0, time.Now(), time.Second))
	})
}
