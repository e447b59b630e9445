package peers

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/devrev/pairdb/storagepb"
)

// smallMessage is what an operation or an answer takes on the wire besides key and value, at most.
const smallMessage = 64

func floorGRPC() Peer {
	return Peer{
		Name: "floor-grpc",
		About: "floor-tcp with one bidirectional gRPC stream per server, pairdb's messages " +
			"and gRPC's own codec; no coordination",
		Start: startFloorGRPC,
	}
}

// A grpcFloor is the client of three echo maps.
type grpcFloor struct {
	calls   calls
	streams [servers]*grpcStream
	ended   sync.WaitGroup
}

// A grpcStream is the connection to one server. Operations are gathered in queue, and leave in
// one frame when the Send before has returned.
type grpcStream struct {
	conn   *grpc.ClientConn
	stream storagepb.Storage_ExchangeClient
	server int
	cancel context.CancelFunc
	silent chan struct{} // closed when nothing more is sent

	mu     sync.Mutex // guards what follows
	ready  sync.Cond  // queue has something, or broken is set
	queue  []*storagepb.Operation
	broken bool
}

func startFloorGRPC(ctx context.Context, env Env) (Store, func(), error) {
	addrs, stopServers, err := startProcesses(ctx, env, floorGRPCServer, make([][]string, servers)...)
	if err != nil {
		return nil, nil, err
	}
	f := &grpcFloor{}
	for i, addr := range addrs {
		s, err := openStream(ctx, i, addr)
		if err != nil {
			f.close()
			stopServers()
			return nil, nil, fmt.Errorf("peers: start floor-grpc: %w", err)
		}
		f.streams[i] = s
		f.ended.Go(s.write)
		f.ended.Go(func() { f.read(s) })
	}
	return f, func() { f.close(); stopServers() }, nil
}

func openStream(ctx context.Context, server int, addr string) (*grpcStream, error) {
	conn, err := grpc.NewClient(addr,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithStaticStreamWindowSize(streamWindow),
		grpc.WithStaticConnWindowSize(connWindow),
		grpc.WithReadBufferSize(ioBuffer),
		grpc.WithWriteBufferSize(ioBuffer),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(frameBytes+maxFrame)),
	)
	if err != nil {
		return nil, err
	}
	client := storagepb.NewStorageClient(conn)
	if _, err := client.Describe(ctx, &storagepb.DescribeRequest{}, grpc.WaitForReady(true)); err != nil {
		conn.Close()
		return nil, err
	}
	s := &grpcStream{conn: conn, server: server, silent: make(chan struct{})}
	s.ready.L = &s.mu
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	if s.stream, err = client.Exchange(lasting); err != nil {
		cancel()
		conn.Close()
		return nil, err
	}
	return s, nil
}

func (f *grpcFloor) close() {
	for _, s := range f.streams {
		if s != nil {
			s.cancel()
			s.conn.Close()
		}
	}
	f.ended.Wait()
}

func (f *grpcFloor) Put(ctx context.Context, key string, value []byte) error {
	c := f.calls.begin()
	f.submit(c, c.message.put(c.id, key, value))
	_, _, err := f.calls.wait(ctx, c)
	return err
}

func (f *grpcFloor) Get(ctx context.Context, key string) ([]byte, error) {
	c := f.calls.begin()
	f.submit(c, c.message.get(c.id, key))
	value, found, err := f.calls.wait(ctx, c)
	if err == nil && !found {
		err = ErrNotFound
	}
	return value, err
}

// A message is an operation with the memory of all that it may hold. A call has one, and uses it
// again when all servers have answered: then all streams have encoded it.
type message struct {
	op       storagepb.Operation
	state    storagepb.State
	sibling  storagepb.Sibling
	siblings [1]*storagepb.Sibling
}

func (m *message) put(id uint32, key string, value []byte) *storagepb.Operation {
	m.sibling.Value = append(m.sibling.Value[:0], value...)
	m.siblings[0] = &m.sibling
	m.state.Siblings = m.siblings[:]
	op := m.get(id, key)
	op.Kind, op.State = storagepb.Kind_MERGE, &m.state
	return op
}

func (m *message) get(id uint32, key string) *storagepb.Operation {
	m.op.Id, m.op.Kind, m.op.State = uint64(id), storagepb.Kind_READ_STATE, nil
	m.op.Key = append(m.op.Key[:0], key...)
	return &m.op
}

func (f *grpcFloor) submit(c *call, op *storagepb.Operation) {
	for _, s := range f.streams {
		if !s.submit(op) {
			f.calls.fail(s.server, c)
		}
	}
}

// submit puts an operation into the next frame. It is false if there will be none.
func (s *grpcStream) submit(op *storagepb.Operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return false
	}
	if len(s.queue) == 0 {
		s.ready.Signal()
	}
	s.queue = append(s.queue, op)
	return true
}

// write sends frames until the stream breaks, which the reader sees too.
func (s *grpcStream) write() {
	defer close(s.silent)
	var queue []*storagepb.Operation
	for {
		queue = s.take(queue)
		if len(queue) == 0 {
			return
		}
		for rest := queue; len(rest) > 0; {
			n := fits(rest)
			if err := s.stream.Send(&storagepb.ClientFrame{Operations: rest[:n]}); err != nil {
				s.cancel()
				return
			}
			rest = rest[n:]
		}
	}
}

// fits returns how many of the operations make the next frame, at least one.
func fits(ops []*storagepb.Operation) int {
	bytes := 0
	for i, op := range ops {
		bytes += smallMessage + len(op.Key)
		if op.State != nil {
			bytes += len(op.State.Siblings[0].Value)
		}
		if bytes > frameBytes && i > 0 {
			return i
		}
	}
	return len(ops)
}

// take waits for operations, and leaves the memory of the queue before for the next ones.
func (s *grpcStream) take(before []*storagepb.Operation) []*storagepb.Operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		for len(s.queue) == 0 && !s.broken {
			s.ready.Wait()
		}
		// The caller that woke us is rarely alone: let the others put theirs in. With
		// 256 callers on two cores this doubles the throughput, and costs one caller nothing.
		s.mu.Unlock()
		runtime.Gosched()
		s.mu.Lock()
	}
	if s.broken {
		return nil
	}
	queue := s.queue
	s.queue = before[:0]
	return queue
}

// read hands the answers to their calls until the stream breaks.
func (f *grpcFloor) read(s *grpcStream) {
	for {
		frame, err := s.stream.Recv()
		if err != nil || !f.answered(s.server, frame) {
			break
		}
	}
	s.cancel()
	s.mu.Lock()
	s.broken = true
	s.ready.Signal()
	s.mu.Unlock()
	<-s.silent // a call that has failed may be used again: its message must not be
	f.calls.failAll(s.server)
}

func (f *grpcFloor) answered(server int, frame *storagepb.ServerFrame) bool {
	for _, a := range frame.Answers {
		var value []byte
		found := a.State != nil
		if found {
			value = a.State.Siblings[0].Value
		}
		if f.calls.answer(server, uint32(a.Id), value, found) != nil { //nolint:gosec // ours
			return false
		}
	}
	return true
}
