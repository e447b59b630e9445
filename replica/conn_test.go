package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
)

func TestOperationsSentBeforeTheHandshakeGoOutInFewBatches(t *testing.T) {
	n := newScripted()
	n.greet = make(chan struct{})
	n.start()
	c := n.connect(t, nil)
	const ops = 1000
	done := newBox(ops)
	for range ops {
		require.NoError(t, c.Send(read(done)))
	}
	require.Equal(t, Connecting, c.Health().State)
	require.Equal(t, ops, c.Health().InFlight)
	close(n.greet)
	for range ops {
		r := <-done.results
		require.NoError(t, r.Err)
		require.True(t, r.Handed)
		require.Equal(t, storagepb.Status_OK, r.Status)
	}
	batches, _, streams, dials := n.counts()
	require.Equal(t, []int{maxBatchOps, ops - maxBatchOps}, batches)
	require.Equal(t, 2, streams)
	require.Equal(t, 2, dials, "one per lane")
	h := c.Health()
	require.Zero(t, h.InFlight)
	require.EqualValues(t, ops, h.Sent)
	require.EqualValues(t, ops, h.Answered)
	require.EqualValues(t, 2, h.Batches)
	require.Positive(t, h.P95)
}

func TestTheHandshakeTellsStoreLimitsAndClockOffset(t *testing.T) {
	n := newScripted()
	n.clock = time.Hour
	n.start()
	changes := make(states, 8)
	n.connect(t, func(cfg *Config) { cfg.OnChange = changes.tell })
	h := changes.until(t, Up)
	require.EqualValues(t, 7, h.StoreID)
	require.EqualValues(t, 3, h.Epoch)
	require.True(t, h.Synced)
	require.False(t, h.Amnesiac)
	require.EqualValues(t, 64, h.Limits.GetMaxSiblings())
	require.InDelta(t, time.Hour, h.ClockOffset, float64(time.Minute))
	require.NoError(t, h.Err)
}
