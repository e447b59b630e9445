package replica

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// merge is a bulk operation, by its value.
func merge(h Handler, valueBytes int) *Op {
	dot := vclock.Dot{Actor: 256, Stamp: vclock.StampOf(5, 0)}
	return &Op{
		Kind: storagepb.Kind_MERGE, Tenant: "t", Key: "k", Handler: h,
		State: vclock.State{Clock: vclock.Clock{dot}, Siblings: []vclock.Sibling{{Dot: dot, Value: make([]byte, valueBytes)}}},
	}
}

// tags keeps the order in which operations completed.
type tags chan uint32

func (o tags) Complete(op *Op, _ Result) { o <- op.Tag }

func TestPastTheBoundOperationsWaitInOrderAndBackgroundOnesAreRefused(t *testing.T) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight = 2 })
	order := make(tags, 8)
	for tag := range uint32(6) {
		op := read(order)
		op.Tag = tag
		require.NoError(t, c.Send(op))
	}
	require.Equal(t, 2, c.Health().InFlight)
	require.Equal(t, 4, c.Health().Waiting)
	background := read(order)
	background.Background = true
	require.ErrorIs(t, c.Send(background), ErrOverloaded)
	close(n.greet)
	for tag := range uint32(6) {
		require.Equal(t, tag, <-order)
	}
	batches, _, _, _ := n.counts()
	for _, size := range batches {
		require.LessOrEqual(t, size, 2)
	}
}

func TestTheBoundCountsBytesButOneOperationAlwaysFits(t *testing.T) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlightBytes = 100 << 10 }) // half of it for bulk
	done := newBox(2)
	require.NoError(t, c.Send(merge(done, 1<<20)))
	require.NoError(t, c.Send(merge(done, 40<<10)))
	require.Equal(t, 1, c.Health().InFlight)
	require.Equal(t, 1, c.Health().Waiting)
	close(n.greet)
	require.NoError(t, (<-done.results).Err)
	require.NoError(t, (<-done.results).Err)
}

func TestAnOperationThatWouldFitDoesNotOvertakeOneThatWaits(t *testing.T) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlightBytes = 80 << 10 }) // half of it for small ones
	order := make(tags, 3)
	for tag, bytes := range []int{30 << 10, 30 << 10, 10} {
		op := merge(order, bytes)
		op.Tag = uint32(tag)
		require.NoError(t, c.Send(op))
	}
	require.Equal(t, 1, c.Health().InFlight)
	require.Equal(t, 2, c.Health().Waiting)
	close(n.greet)
	for tag := range uint32(3) {
		require.Equal(t, tag, <-order)
	}
}

func TestWithdrawTakesBackWhatWaitsOrIsQueuedAndMakesRoom(t *testing.T) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight = 1 })
	order := make(tags, 3)
	ops := [3]*Op{read(order), read(order), read(order)} // queued, waiting, waiting
	for i, op := range ops {
		op.Tag = uint32(i)
		require.False(t, c.Withdraw(op), "it was not sent yet")
		require.NoError(t, c.Send(op))
	}
	require.True(t, c.Withdraw(ops[1]))
	require.False(t, c.Withdraw(ops[1]))
	require.True(t, c.Withdraw(ops[0]))
	require.Equal(t, 1, c.Health().InFlight, "the last one has the room")
	require.Zero(t, c.Health().Waiting)
	close(n.greet)
	require.EqualValues(t, 2, <-order)
	require.Empty(t, order)
	require.False(t, c.Withdraw(ops[2]), "it has completed")
	require.NoError(t, c.Send(ops[0]), "an operation may be used again")
	require.EqualValues(t, 0, <-order)
}

func TestWhatWouldWaitBehindTooManyIsRefusedAtOnce(t *testing.T) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight = 1 })
	order := make(tags, maxWaiting+2)
	ops := make([]*Op, maxWaiting+1) // one of them is queued
	for i := range ops {
		ops[i] = read(order)
		require.NoError(t, c.Send(ops[i]))
	}
	require.Equal(t, maxWaiting, c.Health().Waiting)
	require.ErrorIs(t, c.Send(read(order)), ErrOverloaded)
	require.True(t, c.Withdraw(ops[7]))
	require.NoError(t, c.Send(read(order)), "one that leaves makes room")
	close(n.greet)
	for range ops {
		<-order
	}
}

func TestWithdrawLeavesWhatWasHandedOver(t *testing.T) {
	n := newScripted()
	seen, answer := make(chan struct{}), make(chan struct{})
	n.answer = func(*storagepb.Operation) *storagepb.Answer {
		close(seen)
		<-answer
		return &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
	}
	n.start()
	c := n.connect(t, nil)
	done := newBox(1)
	op := read(done)
	require.NoError(t, c.Send(op))
	<-seen
	require.False(t, c.Withdraw(op))
	close(answer)
	require.NoError(t, (<-done.results).Err)
}

func TestSmallOperationsPassBulkOnesThatAreStuck(t *testing.T) {
	n := newScripted()
	release := make(chan struct{})
	n.answer = func(op *storagepb.Operation) *storagepb.Answer {
		if op.GetKind() == storagepb.Kind_MERGE {
			<-release
		}
		return &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
	}
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight, cfg.MaxInFlightBytes = 3, 256<<10 })
	bulk, small := newBox(8), newBox(8)
	for range 8 { // more than there is room for
		require.NoError(t, c.Send(merge(bulk, bulkBytes)))
	}
	for range 8 {
		require.NoError(t, c.Send(read(small)))
	}
	for range 8 {
		require.NoError(t, (<-small.results).Err)
	}
	require.Empty(t, bulk.results)
	close(release)
	for range 8 {
		require.NoError(t, (<-bulk.results).Err)
	}
}

func TestAnOperationThatWouldBreakTheStreamIsRefused(t *testing.T) {
	n := newScripted()
	n.start()
	c := n.connect(t, nil)
	require.ErrorIs(t, c.Send(merge(newBox(0), MaxOpBytes)), ErrInvalid)
	badTenant := read(newBox(0))
	badTenant.Tenant = "\xff"
	require.ErrorIs(t, c.Send(badTenant), ErrInvalid)
}

func TestCloseWaitsForAnswersAndRefusesTheRest(t *testing.T) {
	n := newScripted()
	seen, answer := make(chan struct{}), make(chan struct{})
	sawOne := sync.OnceFunc(func() { close(seen) })
	n.answer = func(*storagepb.Operation) *storagepb.Answer {
		sawOne()
		<-answer
		return &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
	}
	n.start()
	c := n.connect(t, nil)
	done, others := newBox(1), newBox(1<<14)
	require.NoError(t, c.Send(read(done)))
	<-seen
	closed := make(chan error)
	go func() { closed <- c.Close(context.Background()) }()
	require.Eventually(t, func() bool { return errors.Is(c.Send(read(others)), ErrClosed) }, 10*time.Second, time.Millisecond)
	close(answer)
	require.NoError(t, <-closed)
	require.NoError(t, (<-done.results).Err)
	require.NoError(t, c.Close(context.Background()), "again")
}

func TestCloseCutsWhenItsContextEnds(t *testing.T) {
	n := newScripted()
	seen := make(chan struct{}, 1)
	n.answer = func(*storagepb.Operation) *storagepb.Answer { seen <- struct{}{}; return nil }
	n.start()
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight = 1 })
	done := newBox(2)
	require.NoError(t, c.Send(read(done)))
	require.NoError(t, c.Send(read(done)))
	<-seen
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.Close(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, ErrClosed)
	first, second := <-done.results, <-done.results
	require.ErrorIs(t, first.Err, ErrClosed)
	require.ErrorIs(t, second.Err, ErrClosed)
	require.True(t, first.Handed)
	require.False(t, second.Handed)
	require.ErrorIs(t, c.Send(read(done)), ErrClosed)
}
