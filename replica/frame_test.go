package replica

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/internal/framed"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

func drawState(t *rapid.T) vclock.State {
	var s vclock.State
	for i := range rapid.IntRange(0, 80).Draw(t, "entries") {
		s.Clock = append(s.Clock, vclock.Dot{Actor: vclock.Actor(i + 1), Stamp: vclock.Stamp(rapid.Uint64Min(1).Draw(t, "stamp"))})
	}
	for i := range rapid.IntRange(0, min(len(s.Clock), 6)).Draw(t, "siblings") {
		sib := vclock.Sibling{Dot: s.Clock[i], Expires: rapid.Int64Min(0).Draw(t, "expires")}
		if sib.Tombstone = rapid.Bool().Draw(t, "tombstone"); !sib.Tombstone {
			sib.Value = rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "value")
		}
		s.Siblings = append(s.Siblings, sib)
	}
	return s
}

func TestAFrameSaysWhatItsOperationsAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f frame
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			want := &storagepb.ClientFrame{}
			for id := range uint64(rapid.IntRange(1, 5).Draw(t, "ops")) {
				op := &Op{
					Kind:   storagepb.Kind(rapid.IntRange(1, 4).Draw(t, "kind")),
					Tenant: "t",
					Key:    rapid.StringN(1, 8, -1).Draw(t, "key"),
					Policy: vclock.Policy(rapid.IntRange(0, 1).Draw(t, "policy")),
					Origin: storagepb.Origin(rapid.IntRange(0, 1).Draw(t, "origin")),
					State:  drawState(t),
					epoch:  rapid.Uint64().Draw(t, "epoch"),
				}
				f.add(op, id, 5)
				m := &storagepb.Operation{
					Id: id, Kind: op.Kind, Epoch: op.epoch, TimeoutMs: 5, Tenant: op.Tenant, Key: []byte(op.Key),
					Policy: storagepb.Policy(op.Policy), Origin: op.Origin,
				}
				if op.Kind == storagepb.Kind_MERGE {
					m.State = wire.FromState(op.State)
				}
				want.Operations = append(want.Operations, m)
			}
			got := &storagepb.ClientFrame{}
			require.NoError(t, proto.Unmarshal(f.out.Bytes[framed.HeaderBytes:], got))
			require.True(t, proto.Equal(want, got))
			_, err := wire.Codec{}.Marshal(&f.out)
			require.NoError(t, err)
			f.reset()
		}
	})
}

func TestTheEstimateIsNoLessThanTheMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op := &Op{Kind: storagepb.Kind_MERGE, Tenant: "tenant", Key: "key", State: drawState(t), epoch: 1 << 60}
		var f frame
		f.add(op, 1<<60, 1<<31)
		require.LessOrEqual(t, len(f.out.Bytes)-framed.HeaderBytes, op.estimate())
	})
}

func TestABatchEndsByCountOrBytesAndALargeOperationGoesAlone(t *testing.T) {
	var f frame
	small := &Op{Kind: storagepb.Kind_READ_STATE, size: 100}
	large := &Op{Kind: storagepb.Kind_READ_STATE, size: maxBatchBytes + 1}
	require.True(t, f.fits(large))
	f.add(large, 1, 0)
	require.False(t, f.fits(small))
	f.reset()
	for i := 0; f.fits(small); i++ {
		f.add(small, uint64(i), 0)
	}
	require.Equal(t, maxBatchOps, f.len())
}

func TestAnIdIsNeverUsedForAnotherOperation(t *testing.T) {
	var s slots
	first, second := &Op{}, &Op{}
	id := s.put(first)
	require.NotZero(t, id)
	require.Same(t, first, s.get(id))
	s.drop(first)
	require.Nil(t, s.get(id))
	next := s.put(second)
	require.NotEqual(t, id, next)
	require.Nil(t, s.get(id))
	require.Same(t, second, s.get(next))
	require.Nil(t, s.get(0))
	require.Nil(t, s.get(1<<63|999))
}

func TestTheP95IsThatOfTheLastReads(t *testing.T) {
	var l latencies
	l.add([]time.Duration{time.Hour})
	require.Zero(t, l.p95.Load(), "one sample says nothing")
	var samples []time.Duration
	for i := range latencySamples {
		samples = append(samples, time.Duration(i+1))
	}
	l.add(samples)
	require.EqualValues(t, 244, l.p95.Load()) // ⌈0.95 × 256⌉
	require.EqualValues(t, 128, l.mean.Load())
	for range latencySamples / latencyEvery {
		l.add(make([]time.Duration, latencyEvery))
	}
	require.Zero(t, l.p95.Load(), "old samples have left the window")
}

func TestBackoffGrowsToItsLimitAndStartsAgainAfterASteadyConnection(t *testing.T) {
	most := uint64(0)
	b := backoff{rand: func() uint64 { return most }}
	require.Equal(t, backoffFloor, b.next(ErrDown), "the dice may say 0")
	most = uint64(backoffFirst*2-backoffFloor) - 1
	require.Equal(t, backoffFirst*2-1, b.next(ErrDown))
	for range 100 {
		require.LessOrEqual(t, b.next(ErrDown), backoffLast)
	}
	b.lived(steadyAfter - 1)
	require.NotZero(t, b.failures)
	b.lived(steadyAfter)
	require.Zero(t, b.failures)
	most = uint64(backoffLast-backoffFloor) - 1
	require.Equal(t, backoffLast-1, b.next(ErrMismatch), "another node's answer will not soon change")
}
