package peers

import (
	"context"
	"net"
	"sync"

	"google.golang.org/grpc"

	"github.com/devrev/pairdb/storagepb"
)

const (
	floorGRPCServer = "floor-grpc"

	// As pairdb's transport has them, so that the two differ in what they carry.
	frameBytes   = 256 << 10
	streamWindow = 4 << 20
	connWindow   = 8 << 20
	ioBuffer     = 128 << 10
)

type grpcEchoMap struct {
	storagepb.UnimplementedStorageServer
	states *sharded[*storagepb.State]
}

func serveFloorGRPC([]string) (string, error) {
	server := grpc.NewServer(
		grpc.InitialWindowSize(connWindow),
		grpc.InitialConnWindowSize(connWindow),
		grpc.ReadBufferSize(ioBuffer),
		grpc.WriteBufferSize(ioBuffer),
		grpc.MaxRecvMsgSize(frameBytes+maxFrame),
	)
	storagepb.RegisterStorageServer(server, &grpcEchoMap{states: newSharded[*storagepb.State]()})
	return listenAndServe(floorGRPCServer, func(l net.Listener) error { return server.Serve(l) })
}

// Exchange answers the operations in their order. One goroutine receives and applies, one
// sends: what was answered while the last frame was handed over, in one frame.
func (m *grpcEchoMap) Exchange(stream storagepb.Storage_ExchangeServer) error {
	out := outbox{}
	out.ready.L = &out.mu
	received := make(chan error, 1)
	go func() {
		for {
			frame, err := stream.Recv()
			if err != nil {
				out.end()
				received <- err
				return
			}
			answers := make([]*storagepb.Answer, len(frame.Operations))
			for i, op := range frame.Operations {
				answers[i] = m.do(op)
			}
			out.put(answers)
		}
	}()
	for {
		answers := out.take()
		if len(answers) == 0 {
			return <-received
		}
		for len(answers) > 0 {
			n := batch(answers)
			if err := stream.Send(&storagepb.ServerFrame{Answers: answers[:n]}); err != nil {
				return err // the receiver ends with the stream
			}
			answers = answers[n:]
		}
	}
}

// batch returns how many of the answers make the next frame, at least one.
func batch(answers []*storagepb.Answer) int {
	bytes := 0
	for i, a := range answers {
		bytes += smallMessage
		if a.State != nil {
			bytes += len(a.State.Siblings[0].Value)
		}
		if bytes > frameBytes && i > 0 {
			return i
		}
	}
	return len(answers)
}

func (m *grpcEchoMap) do(op *storagepb.Operation) *storagepb.Answer {
	a := &storagepb.Answer{Id: op.Id, Status: storagepb.Status_OK}
	s := m.states.of(op.Key)
	if op.Kind == storagepb.Kind_MERGE {
		s.mu.Lock()
		s.values[string(op.Key)] = op.State
		s.mu.Unlock()
		return a
	}
	s.mu.RLock()
	a.State = s.values[string(op.Key)]
	s.mu.RUnlock()
	return a
}

// Describe lets the client see that the server is up.
func (m *grpcEchoMap) Describe(context.Context, *storagepb.DescribeRequest) (*storagepb.DescribeResponse, error) {
	return &storagepb.DescribeResponse{}, nil
}

// An outbox holds the answers that wait for the frame before theirs.
type outbox struct {
	mu      sync.Mutex // guards what follows
	ready   sync.Cond
	answers []*storagepb.Answer
	ended   bool
}

func (o *outbox) put(answers []*storagepb.Answer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.answers) == 0 {
		o.answers = answers
		o.ready.Signal()
		return
	}
	o.answers = append(o.answers, answers...)
}

func (o *outbox) end() {
	o.mu.Lock()
	o.ended = true
	o.ready.Signal()
	o.mu.Unlock()
}

// take returns none when there will be no more.
func (o *outbox) take() []*storagepb.Answer {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.answers) == 0 && !o.ended {
		o.ready.Wait()
	}
	answers := o.answers
	o.answers = nil
	return answers
}
