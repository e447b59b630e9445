package replica

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

// A trial is an operation, and all that its caller was told about it.
type trial struct {
	op        *Op
	sendErr   error
	withdrawn bool
	completed atomic.Int32
	result    Result
	done      chan struct{}
}

func (tr *trial) Complete(_ *Op, r Result) {
	if tr.completed.Add(1) == 1 {
		tr.result = r
		close(tr.done)
	}
}

// TestEachOperationEndsExactlyOnce is invariant 1, under breaks, freezes, slow answers, deadlines, withdrawals and
// a close in the middle, with room for few operations.
func TestEachOperationEndsExactlyOnce(t *testing.T) {
	overBoth(t, func(t *testing.T, grpcOnly bool) {
		for seed := range uint64(20) {
			synctest.Test(t, func(t *testing.T) { exactlyOnce(t, seed, grpcOnly) })
		}
	})
}

func exactlyOnce(t *testing.T, seed uint64, grpcOnly bool) {
	n := newScripted()
	n.grpcOnly = grpcOnly
	var reached sync.Map // key → true
	n.answer = func(op *storagepb.Operation) *storagepb.Answer {
		reached.Store(string(op.GetKey()), true)
		switch rand.IntN(20) { // the test's own dice: the schedule is not ours to seed
		case 0:
			return nil
		case 1:
			time.Sleep(rand.N(50 * time.Millisecond))
		}
		return &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
	}
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight, cfg.MaxInFlightBytes = 4, 200<<10 })

	var callers, chaos sync.WaitGroup
	trials := make([][]*trial, 8)
	for i := range trials {
		callers.Go(func() {
			dice := rand.New(rand.NewPCG(seed, uint64(i)))
			for j := range 100 {
				trials[i] = append(trials[i], attempt(c, dice, string([]byte{byte(i), byte(j)})))
				if dice.IntN(4) == 0 {
					time.Sleep(time.Duration(dice.Int64N(int64(10 * time.Millisecond))))
				}
			}
		})
	}
	over := make(chan struct{})
	chaos.Go(func() {
		dice := rand.New(rand.NewPCG(seed, 99))
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(dice.Int64N(int64(200 * time.Millisecond)))):
			}
			n.stop()
			n.start()
		}
	})
	if seed%3 == 0 { // close while all goes on
		time.Sleep(300 * time.Millisecond)
	} else {
		callers.Wait()
	}
	if err := c.Close(within(t, time.Duration(seed)*20*time.Millisecond)); err != nil {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	close(over)
	callers.Wait()
	chaos.Wait()
	for _, list := range trials {
		for _, tr := range list {
			check(t, tr, &reached, seed)
		}
	}
	require.Zero(t, c.Health().InFlight+c.Health().Waiting)
}

// attempt sends one operation and, often, takes it back at some point.
func attempt(c *Conn, dice *rand.Rand, key string) *trial {
	tr := &trial{done: make(chan struct{})}
	tr.op = read(tr)
	if dice.IntN(3) == 0 {
		tr.op = merge(tr, bulkBytes+dice.IntN(bulkBytes))
	}
	tr.op.Key = key
	tr.op.Background = dice.IntN(4) == 0
	if dice.IntN(5) > 0 {
		tr.op.Deadline = time.Now().Add(time.Duration(dice.Int64N(int64(100*time.Millisecond))) - 5*time.Millisecond)
	}
	if tr.sendErr = c.Send(tr.op); tr.sendErr != nil {
		return tr
	}
	switch dice.IntN(3) {
	case 0:
		tr.withdrawn = c.Withdraw(tr.op)
	case 1:
		select {
		case <-tr.done:
		case <-time.After(time.Duration(dice.Int64N(int64(5 * time.Millisecond)))):
			tr.withdrawn = c.Withdraw(tr.op)
		}
	}
	return tr
}

func check(t *testing.T, tr *trial, reached *sync.Map, seed uint64) {
	t.Helper()
	ends := int(tr.completed.Load())
	if tr.sendErr != nil {
		ends++
	}
	if tr.withdrawn {
		ends++
	}
	require.Equal(t, 1, ends, "seed %d: send %v, withdrawn %v, completed %d", seed, tr.sendErr, tr.withdrawn, tr.completed.Load())
	if _, sent := reached.Load(tr.op.Key); sent {
		require.NoError(t, tr.sendErr, "seed %d: it reached the node", seed)
		require.False(t, tr.withdrawn, "seed %d: it reached the node", seed)
		require.True(t, tr.result.Handed, "seed %d: it reached the node", seed)
	}
	require.True(t, tr.completed.Load() == 0 || tr.result.Err != nil || tr.result.Handed)
}
