package node

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// filled is a node with a few large values, and reads of them.
func filled(t *testing.T, limits Limits, values int) (*served, []*wire.Operation) {
	s := serve(t, NewMemory(), Config{Limits: limits})
	ops := make([]*wire.Operation, values)
	for i := range ops {
		key := fmt.Sprint("k", i)
		require1(t, storagepb.Status_OK, s.core.Do(write(key, at(1, 0), nil, string(make([]byte, 1<<20)))))
		ops[i] = numbered(uint64(i), read(key, storagepb.Kind_READ_STATE))
	}
	return s, ops
}

func TestAStreamThatIsNotReadIsEndedAndHoldsNothingThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ops := filled(t, Limits{}, 8)
		stream := s.exchange(t)
		require.NoError(t, stream.Send(frameOf(ops...)))
		synctest.Wait()
		require.Greater(t, s.core.Stats().InHandBytes, 1<<20, "answers count")
		time.Sleep(sendPatience - time.Second)
		synctest.Wait()
		require.NotZero(t, s.core.Stats().InHandOps)
		time.Sleep(time.Second)
		synctest.Wait()
		require.Zero(t, s.core.Stats().InHandOps)
		require.Zero(t, s.core.Stats().InHandBytes)
		var err error
		for err == nil {
			_, err = stream.Recv()
		}
		require.Equal(t, codes.Aborted, status.Code(err))
		s.close()
	})
}

func TestReadsAreRefusedWhileUnreadAnswersFillTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ops := filled(t, Limits{MaxValueBytes: maxValue, InHandBytes: 64 << 20}, 1)
		for i := range 4 {
			key := fmt.Sprint("large", i)
			require1(t, storagepb.Status_OK, s.core.Do(write(key, at(1, 0), nil, string(make([]byte, maxValue)))))
			ops = append(ops, numbered(uint64(10+i), read(key, storagepb.Kind_READ_STATE)))
		}
		slow := []storagepb.Storage_ExchangeClient{s.exchange(t), s.exchange(t), s.exchange(t)}
		for _, stream := range slow {
			require.NoError(t, stream.Send(frameOf(ops...)))
		}
		synctest.Wait()
		other := s.exchange(t)
		require.NoError(t, other.Send(frameOf(numbered(1, read("k0", storagepb.Kind_READ_STATE)))))
		require1(t, storagepb.Status_OVERLOADED, answers(t, other, 1)[1])
		time.Sleep(sendPatience)
		synctest.Wait()
		require.NoError(t, other.Send(frameOf(numbered(2, read("k0", storagepb.Kind_READ_STATE)))))
		require1(t, storagepb.Status_OK, answers(t, other, 1)[2])
		s.close()
	})
}

func TestAReadThatWaitsForAStreamToBeReadExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := filled(t, Limits{}, 1)
		x := newExchange(s.server, &grpcLink{&silent{ctx: t.Context()}})
		defer x.cut()
		x.made(streamBytes)
		op := read("k0", storagepb.Kind_READ_STATE)
		op.TimeoutMs = 3000
		began := time.Now()
		s.core.run([]*wire.Operation{op}, began, x)
		require.Equal(t, 3*time.Second, time.Since(began))
		require.Len(t, x.outbox, 1)
		require1(t, storagepb.Status_EXPIRED, x.outbox[0].answer)
		s.close()
	})
}

func TestAReadThatWasTakenIsRefusedOnceUnreadAnswersFillTheNode(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 0), nil, "v")))
	c.load.add(c.Limits().InHandBytes)
	require1(t, storagepb.Status_OVERLOADED, c.Do(read("k", storagepb.Kind_READ_STATE)))
	require1(t, storagepb.Status_OK, c.Do(write("k", at(2, 0), nil, "v")))
	c.load.release(0, 1)
	require1(t, storagepb.Status_OK, c.Do(read("k", storagepb.Kind_READ_STATE)))
}

// A silent stream has a context and nothing else.
type silent struct {
	storagepb.Storage_ExchangeServer
	ctx context.Context
}

func (s *silent) Context() context.Context { return s.ctx }

func TestAFrameOfTooManyOperationsEndsTheStream(t *testing.T) {
	s := serve(t, NewMemory(), Config{})
	stream := s.exchange(t)
	ops := make([]*wire.Operation, maxFrameOps+1)
	for i := range ops {
		ops[i] = new(wire.Operation)
	}
	require.NoError(t, stream.Send(frameOf(ops...)))
	_, err := stream.Recv()
	require.Equal(t, codes.InvalidArgument, status.Code(err))
}
