package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/devrev/pairdb/storagepb"
)

const (
	unaryServer = "unary"
	unaryMethod = "/pairdb.bench.Unary/Do"
)

func unaryFanOut() Peer {
	return Peer{
		Name: "unary",
		About: "what one writes by hand: three parallel unary gRPC calls to maps in memory, waits for two; " +
			"the last write by the writer's clock",
		Start: startUnary,
	}
}

type unary struct{ conns []*grpc.ClientConn }

func startUnary(ctx context.Context, env Env) (Store, func(), error) {
	addrs, stopServers, err := startProcesses(ctx, env, unaryServer, make([][]string, servers)...)
	if err != nil {
		return nil, nil, err
	}
	u := &unary{}
	stop := func() {
		for _, c := range u.conns {
			c.Close()
		}
		stopServers()
	}
	for _, addr := range addrs {
		c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("peers: start unary: %w", err)
		}
		c.Connect()
		u.conns = append(u.conns, c)
	}
	return u, stop, nil
}

func (u *unary) Put(ctx context.Context, key string, value []byte) error {
	_, err := u.fanOut(ctx, &storagepb.Operation{
		Kind: storagepb.Kind_MERGE, Policy: storagepb.Policy_LAST_WRITE_WINS, Key: []byte(key),
		State: &storagepb.State{Siblings: []*storagepb.Sibling{{
			Stamp: uint64(time.Now().UnixNano()), //nolint:gosec // after 1970
			Value: append([]byte(nil), value...), // the third call outlasts this one
		}}},
	})
	return err
}

func (u *unary) Get(ctx context.Context, key string) ([]byte, error) {
	state, err := u.fanOut(ctx, &storagepb.Operation{Kind: storagepb.Kind_READ_STATE, Key: []byte(key)})
	if err != nil {
		return nil, err
	}
	if len(state.GetSiblings()) == 0 {
		return nil, ErrNotFound
	}
	return state.Siblings[0].Value, nil
}

// fanOut calls all servers, and returns the later of the first two states.
func (u *unary) fanOut(ctx context.Context, op *storagepb.Operation) (*storagepb.State, error) {
	type result struct {
		state *storagepb.State
		err   error
	}
	results := make(chan result, len(u.conns))
	for _, c := range u.conns {
		go func() {
			a := new(storagepb.Answer)
			err := c.Invoke(ctx, unaryMethod, op, a)
			results <- result{a.State, err}
		}()
	}
	var latest *storagepb.State
	var causes []error
	for got := 0; got < needed; {
		r := <-results
		if r.err != nil {
			causes = append(causes, r.err)
			if len(causes) > len(u.conns)-needed {
				return nil, errors.Join(append(causes, ctx.Err())...) // gRPC's own say it in another way
			}
			continue
		}
		got++
		if later(r.state, latest) {
			latest = r.state
		}
	}
	return latest, nil
}

// later compares what was last written to two servers. Nothing is nil.
func later(a, b *storagepb.State) bool { return stampOf(a) > stampOf(b) }

func stampOf(s *storagepb.State) uint64 {
	if len(s.GetSiblings()) == 0 {
		return 0
	}
	return s.Siblings[0].Stamp
}

// A unaryMap is the server: a map that keeps the last write.
type unaryMap struct{ states *sharded[*storagepb.State] }

func serveUnary([]string) (string, error) {
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxFrame))
	server.RegisterService(&unaryService, &unaryMap{newSharded[*storagepb.State]()})
	return listenAndServe(unaryServer, func(l net.Listener) error { return server.Serve(l) })
}

func (m *unaryMap) do(op *storagepb.Operation) *storagepb.Answer {
	a := &storagepb.Answer{Status: storagepb.Status_OK}
	s := m.states.of(op.Key)
	if op.Kind == storagepb.Kind_MERGE {
		s.mu.Lock()
		if later(op.State, s.values[string(op.Key)]) {
			s.values[string(op.Key)] = op.State
		}
		s.mu.Unlock()
		return a
	}
	s.mu.RLock()
	a.State = s.values[string(op.Key)]
	s.mu.RUnlock()
	return a
}

var unaryService = grpc.ServiceDesc{
	ServiceName: "pairdb.bench.Unary",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Do",
		Handler: func(srv any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			op := new(storagepb.Operation)
			if err := decode(op); err != nil {
				return nil, err
			}
			return srv.(*unaryMap).do(op), nil
		},
	}},
}
