package replica

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

func TestABrokenStreamCompletesWhatWasHandedAtOnceAndComesBack(t *testing.T) {
	n := newScripted()
	seen := make(chan struct{}, 8)
	var silent atomic.Bool
	silent.Store(true)
	n.answer = func(*storagepb.Operation) *storagepb.Answer {
		seen <- struct{}{}
		if silent.Load() {
			return nil
		}
		return &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
	}
	n.start()
	changes := make(states, 8)
	c := n.connect(t, func(cfg *Config) { cfg.MaxInFlight, cfg.OnChange = 1, changes.tell })
	changes.until(t, Up)
	done := newBox(2)
	require.NoError(t, c.Send(read(done)))
	require.NoError(t, c.Send(read(done)))
	<-seen
	n.stop()
	handed, waited := <-done.results, <-done.results
	require.ErrorIs(t, handed.Err, ErrBroken)
	require.True(t, handed.Handed)
	require.ErrorIs(t, waited.Err, ErrDown)
	require.False(t, waited.Handed)
	require.ErrorIs(t, c.Send(read(done)), ErrDown, "at once")
	require.ErrorIs(t, changes.until(t, Down).Err, ErrDown)

	silent.Store(false)
	n.start()
	h := changes.until(t, Up)
	require.EqualValues(t, 1, h.Reconnects)
	require.EqualValues(t, 1, h.Broken)
	require.NoError(t, h.Err)
	require.NoError(t, c.Send(read(done)))
	require.NoError(t, (<-done.results).Err)
}

func TestWhatWaitsForTheFirstAttemptFailsWithItsCause(t *testing.T) {
	n := newScripted() // not started
	hold := make(chan struct{})
	n.greet = hold
	n.start()
	c := n.connect(t, nil)
	done := newBox(1)
	require.NoError(t, c.Send(read(done)))
	n.stop()
	r := <-done.results
	require.ErrorIs(t, r.Err, ErrDown)
	require.False(t, r.Handed)
}

func TestADownNodeIsNamedWithTheCause(t *testing.T) {
	n := newScripted() // not started
	changes := make(states, 8)
	c := n.connect(t, func(cfg *Config) { cfg.OnChange = changes.tell })
	changes.until(t, Down)
	err := c.Send(read(newBox(0)))
	require.ErrorIs(t, err, ErrDown)
	require.ErrorIs(t, err, errRefused)
	require.EqualError(t, err, "n1 (127.0.0.1:7102): connection refused")
}

func TestAConnectionRefusedByTheKernelReadsTheSame(t *testing.T) {
	changes := make(states, 8)
	c := newScripted().connect(t, func(cfg *Config) {
		cfg.Addr, cfg.Dialer, cfg.OnChange = "127.0.0.1:1", nil, changes.tell
	})
	require.EqualError(t, changes.until(t, Down).Err, "n1 (127.0.0.1:1): connection refused")
	require.ErrorIs(t, c.Send(read(newBox(0))), ErrDown)
}

func TestAnotherClusterOrNodeIsDownWithAClearError(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*scripted)
		text   string
	}{
		"cluster": {func(n *scripted) { n.cluster = "bank" }, `n1 (127.0.0.1:7102): wrong node: this is cluster "bank"`},
		"node":    {func(n *scripted) { n.node = "n2" }, `n1 (127.0.0.1:7102): wrong node: this is node "n2"`},
		"store":   {func(n *scripted) { n.store = 0 }, `n1 (127.0.0.1:7102): wrong node: it has no store id`},
	} {
		t.Run(name, func(t *testing.T) {
			n := newScripted()
			tc.change(n)
			n.start()
			changes := make(states, 8)
			n.connect(t, func(cfg *Config) { cfg.OnChange = changes.tell })
			err := changes.until(t, Down).Err
			require.ErrorIs(t, err, ErrMismatch)
			require.ErrorIs(t, err, ErrDown)
			require.EqualError(t, err, tc.text)
		})
	}
}

func TestAnotherStoreIsAmnesiacUntilItIsAccepted(t *testing.T) {
	n := newScripted()
	n.start()
	changes := make(states, 8)
	c := n.connect(t, func(cfg *Config) { cfg.OnChange = changes.tell })
	require.False(t, changes.until(t, Up).Amnesiac, "the first store seen is trusted")
	n.stop()
	changes.until(t, Down)
	n.store = 8
	n.start()
	h := changes.until(t, Up)
	require.True(t, h.Amnesiac)
	require.EqualValues(t, 8, h.StoreID)
	done := newBox(1)
	require.NoError(t, c.Send(read(done)))
	r := <-done.results
	require.NoError(t, r.Err)
	require.True(t, r.Amnesiac)

	c.AcceptStore(8)
	require.False(t, changes.until(t, Up).Amnesiac)
	require.NoError(t, c.Send(read(done)))
	require.False(t, (<-done.results).Amnesiac)
}

func TestAStoreOtherThanTheConfiguredOneIsAmnesiacFromTheStart(t *testing.T) {
	n := newScripted()
	n.start()
	changes := make(states, 8)
	n.connect(t, func(cfg *Config) { cfg.StoreID, cfg.OnChange = 6, changes.tell })
	require.True(t, changes.until(t, Up).Amnesiac)
}

func TestAMalformedAnswerFailsItsOperationAlone(t *testing.T) {
	n := newScripted()
	n.answer = func(op *storagepb.Operation) *storagepb.Answer {
		a := &storagepb.Answer{Status: storagepb.Status_OK, Live: true}
		if string(op.GetKey()) == "bad" {
			a.State = &storagepb.State{ClockActors: []uint64{1}}
		}
		return a
	}
	n.start()
	c := n.connect(t, nil)
	bad, good := newBox(1), newBox(1)
	op := read(bad)
	op.Key = "bad"
	require.NoError(t, c.Send(op))
	require.NoError(t, c.Send(read(good)))
	r := <-bad.results
	require.ErrorIs(t, r.Err, ErrMalformed)
	require.True(t, r.Handed)
	require.NoError(t, (<-good.results).Err)
}
