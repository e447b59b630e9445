package node

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// faults is an Interceptor by the operation's id.
type faults struct {
	before, after map[uint64]Fault
}

func (f faults) Before(_ context.Context, op *wire.Operation) Fault { return f.before[op.Id] }
func (f faults) After(_ context.Context, op *wire.Operation, _ *wire.Answer) Fault {
	return f.after[op.Id]
}

func TestAnInterceptorRefusesOrDropsBeforeAndAfterApplying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, NewMemory(), Config{Interceptor: faults{
			before: map[uint64]Fault{1: {Status: storagepb.Status_OVERLOADED, Detail: "as told"}, 2: {Drop: true}},
			after:  map[uint64]Fault{3: {Status: storagepb.Status_FAILED}, 4: {Drop: true}},
		}})
		stream := s.exchange(t)
		var ops []*wire.Operation
		for id := range uint64(5) {
			ops = append(ops, numbered(id+1, write(fmt.Sprint("k", id+1), at(1, 0), nil, "v")))
		}
		require.NoError(t, stream.Send(frameOf(ops...)))
		got := answers(t, stream, 3)
		require1(t, storagepb.Status_OVERLOADED, got[1])
		require.Equal(t, "as told", got[1].Detail)
		require1(t, storagepb.Status_FAILED, got[3])
		require1(t, storagepb.Status_OK, got[5])
		synctest.Wait()
		for key, values := range map[string][]string{"k1": nil, "k2": nil, "k3": {"v"}, "k4": {"v"}, "k5": {"v"}} {
			holds(t, s.core, key, values...)
		}
		require.Zero(t, s.core.Stats().InHandOps)
		require.Zero(t, s.core.Stats().InHandBytes)
		s.close()
	})
}

func TestANodeThatHasTooMuchInHandRefusesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		s := serve(t, NewMemory(), Config{Limits: Limits{InHandOps: 2}, Interceptor: gate{let}})
		stream := s.exchange(t)
		send := func(ids ...uint64) {
			var ops []*wire.Operation
			for _, id := range ids {
				ops = append(ops, numbered(id, write(fmt.Sprint("k", id), at(1, 0), nil, "v")))
			}
			require.NoError(t, stream.Send(frameOf(ops...)))
		}
		send(1, 2, 3)
		require1(t, storagepb.Status_OVERLOADED, answers(t, stream, 1)[3])
		close(let)
		got := answers(t, stream, 2)
		require1(t, storagepb.Status_OK, got[1])
		require1(t, storagepb.Status_OK, got[2])
		synctest.Wait()
		send(4)
		require1(t, storagepb.Status_OK, answers(t, stream, 1)[4])
		s.close()
	})
}

func TestLargeAnswersTravelInFramesOfTheirOwn(t *testing.T) {
	s := serve(t, NewMemory(), Config{})
	large := string(bytes.Repeat([]byte("x"), 1<<20))
	var ops []*wire.Operation
	for id := range uint64(8) {
		key := fmt.Sprint("k", id)
		value := "small"
		if id%2 == 0 {
			value = large
		}
		require1(t, storagepb.Status_OK, s.core.Do(write(key, at(1, 0), nil, value)))
		ops = append(ops, numbered(id, read(key, storagepb.Kind_READ_STATE)))
	}
	stream := s.exchange(t)
	require.NoError(t, stream.Send(frameOf(ops...)))
	for n := 0; n < len(ops); {
		frame, err := stream.Recv()
		require.NoError(t, err)
		size := 0
		for _, a := range answersOf(frame) {
			size += answerBytes(a)
		}
		require.True(t, size <= frameBytes || len(frame.GetAnswers()) == 1, "%d bytes in %d answers", size, len(frame.GetAnswers()))
		n += len(frame.GetAnswers())
	}
}

func TestAStreamThatBreaksLeavesNothingInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := newSlowDisk()
		s := serve(t, disk, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := s.client.Exchange(ctx)
		require.NoError(t, err)
		require.NoError(t, stream.Send(&storagepb.ClientFrame{Hello: hello()}))
		_, err = stream.Recv()
		require.NoError(t, err)
		require.NoError(t, stream.Send(frameOf(write("k", at(1, 0), nil, "v"))))
		synctest.Wait()
		require.Equal(t, 1, s.core.Stats().InHandOps)
		cancel()
		synctest.Wait()
		disk.sync <- nil
		synctest.Wait()
		require.Zero(t, s.core.Stats().InHandOps)
		require.Zero(t, s.core.Stats().InHandBytes)
		holds(t, s.core, "k", "v")
		s.close()
	})
}

func BenchmarkAStreamOfMerges(b *testing.B) {
	core, err := New(NewMemory(), here, Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer core.Close()
	const frame = 64
	ops := make([]*wire.Operation, frame)
	for i := range ops {
		ops[i] = write(fmt.Sprint("k", i), at(1, 0), nil, "value of some length, as they are")
		ops[i].Origin = storagepb.Origin_NODE
	}
	done := make(collect, frame)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for i := range ops {
			ops[i].State.Clock[0].Stamp++
			ops[i].State.Siblings[0].Dot.Stamp++
		}
		core.run(ops, epoch, done)
		for got := 0; got < frame; got += len(<-done) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/frame, "ns/merge")
}
