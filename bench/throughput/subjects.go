package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/topology"
)

// baseline names the unary subject that a subject is compared with.
func baseline(name string) string {
	if strings.Contains(name, "put") {
		return "unary put"
	}
	return "unary get"
}

func prepare(ctx context.Context) ([]subject, func(), error) {
	nodes, unaries, stopServers, err := startServers(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range nodes {
		nodes[i] = nodeName(i) + "=" + nodes[i]
	}
	client, err := pairdb.Open(ctx, topology.Addrs(cluster, nodes...))
	if err != nil {
		stopServers()
		return nil, nil, err
	}
	conns := make([]*grpc.ClientConn, len(unaries))
	for i, addr := range unaries {
		if conns[i], err = grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
			stopServers()
			return nil, nil, err
		}
	}
	stop := func() {
		_ = client.Close(context.WithoutCancel(ctx))
		for _, c := range conns {
			_ = c.Close()
		}
		stopServers()
	}
	subjects := append(pairdbSubjects(client), unarySubjects(conns)...)
	return subjects, stop, load(ctx, client, subjects)
}

// load stores every key, in both.
func load(ctx context.Context, client *pairdb.Client, subjects []subject) error {
	if err := client.Ready(ctx); err != nil {
		return err
	}
	names := make([]pairdb.Item, 0, pairdb.MaxBatch)
	for i := range keys {
		names = append(names, pairdb.Item{Key: key(i), Value: value})
		if len(names) == cap(names) {
			if err := client.Tenant(tenantID).PutMany(ctx, names, pairdb.NoContext()).FirstErr(); err != nil {
				return err
			}
			names = names[:0]
		}
	}
	for _, s := range subjects {
		if s.name != "unary put" {
			continue
		}
		for i := range keys {
			if err := s.do(ctx, i, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

const tenantID = "bench"

var value = make([]byte, valueSize)

func key(i int) string { return fmt.Sprintf("key-%08d", i%keys) }

// spread visits the keys in an order that has nothing to do with the ring. No two workers share a key.
func spread(worker, n int) int { return (worker + n*257*31) % keys }

func pairdbSubjects(client *pairdb.Client) []subject {
	tenant := client.Tenant(tenantID)
	contexts := make([]pairdb.CausalContext, keys)
	return []subject{
		{"pairdb put, known context", func(ctx context.Context, worker, n int) error {
			i := worker + (n*256)%keys // one worker, one context at a time
			i %= keys
			opt := pairdb.NoContext()
			if !contexts[i].IsZero() {
				opt = pairdb.After(contexts[i])
			}
			r, err := tenant.Put(ctx, "put-"+key(i), value, opt)
			contexts[i] = r.Context
			return err
		}},
		{"pairdb put", func(ctx context.Context, worker, n int) error {
			_, err := tenant.Put(ctx, key(spread(worker, n)), value)
			return err
		}},
		{"pairdb get", func(ctx context.Context, worker, n int) error {
			_, err := tenant.Get(ctx, key(spread(worker, n)))
			return err
		}},
	}
}

func unarySubjects(conns []*grpc.ClientConn) []subject {
	put := func(ctx context.Context, worker, n int) error {
		return fanOut(ctx, conns, &storagepb.Operation{
			Kind: storagepb.Kind_MERGE, Tenant: tenantID, Key: []byte(key(spread(worker, n))),
			State: &storagepb.State{
				ClockActors: []uint64{1}, ClockStamps: []uint64{1},
				Siblings: []*storagepb.Sibling{{Actor: 1, Stamp: 1, Value: value}},
			},
		})
	}
	get := func(ctx context.Context, worker, n int) error {
		return fanOut(ctx, conns, &storagepb.Operation{
			Kind: storagepb.Kind_READ_STATE, Tenant: tenantID, Key: []byte(key(spread(worker, n))),
		})
	}
	return []subject{{"unary put", put}, {"unary get", get}}
}

// fanOut calls all, and waits for two.
func fanOut(ctx context.Context, conns []*grpc.ClientConn, op *storagepb.Operation) error {
	results := make(chan error, len(conns))
	for _, c := range conns {
		go func() { results <- c.Invoke(ctx, unaryMethod, op, new(storagepb.Answer)) }()
	}
	var got, failed int
	for got < 2 {
		if err := <-results; err == nil {
			got++
		} else if failed++; failed > len(conns)-2 {
			return err
		}
	}
	return nil
}
