package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
)

const tenantID = "bench"

func pairdbStarters() []starter {
	return []starter{
		{report.Subject{Name: report.Memory, About: "pairdb at Quorum on nodes that keep everything in memory."},
			func(ctx context.Context, r *Run, cases []report.Case) (subject, error) {
				return startPairDB(ctx, r, false, cases)
			}},
		{report.Subject{Name: report.Pebble, About: "pairdb at Quorum on Pebble nodes, synced to disk before they acknowledge."},
			func(ctx context.Context, r *Run, cases []report.Case) (subject, error) {
				return startPairDB(ctx, r, true, cases)
			}},
	}
}

// A pairdbSubject is a client with its nodes and its keys.
type pairdbSubject struct {
	run        *Run
	nodes      *nodes
	client     *pairdb.Client
	tenant     *pairdb.Tenant
	sets       map[string]*pairdbKeys
	goroutines int
	// large has the sets of a number of keys of their own, on nodes of their own: beside the values of the other
	// sets, of up to 1 MiB, the nodes would remember little of them.
	large *pairdbSubject
}

// pairdbKeys are stored keys, with their contexts if they are to be put with them.
type pairdbKeys struct {
	keyset
	bytes    int
	contexts *contexts // nil for keys that are put without: a context that another put has overtaken makes siblings
}

func startPairDB(ctx context.Context, r *Run, pebble bool, cases []report.Case) (_ subject, err error) {
	s := &pairdbSubject{run: r, sets: map[string]*pairdbKeys{}}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if large, usual := byNumber(cases); len(large) > 0 && len(usual) > 0 {
		other, err := startPairDB(ctx, r, pebble, large)
		if err != nil {
			return nil, err
		}
		s.large, _ = other.(*pairdbSubject)
		cases = usual
	}
	if s.nodes, err = startNodes(ctx, r, replicas, pebble); err != nil {
		return nil, err
	}
	before := runtime.NumGoroutine()
	if s.client, err = pairdb.Open(ctx, s.nodes.topology(), pairdb.WithLimits(pairdb.Limits{KeyMemory: r.Settings.KeyMemory})); err != nil {
		return nil, err
	}
	if err = s.client.Ready(ctx); err != nil {
		return nil, err
	}
	s.goroutines = runtime.NumGoroutine() - before
	s.tenant = s.client.Tenant(tenantID)
	for _, c := range cases {
		if s.sets[setOf(c)] != nil {
			continue
		}
		if err = s.store(ctx, c); err != nil {
			return nil, fmt.Errorf("store the keys: %w", err)
		}
	}
	return s, nil
}

// byNumber parts the cases that want a number of keys of their own from the others.
func byNumber(cases []report.Case) (large, usual []report.Case) {
	for _, c := range cases {
		if c.Keys > 0 {
			large = append(large, c)
		} else {
			usual = append(usual, c)
		}
	}
	return large, usual
}

// setOf names the keys that a case uses. Cases share one where they do not spoil it for each other.
func setOf(c report.Case) string {
	switch {
	case c.Keys > 0:
		return fmt.Sprintf("n%d-", c.Keys)
	case c.Bytes > 0:
		return fmt.Sprintf("v%d-", c.Bytes)
	case c.Workload == report.Put, c.Workload == report.PutMany:
		return "known-"
	}
	return "blind-"
}

// store stores the keys of a case, and keeps their contexts.
func (s *pairdbSubject) store(ctx context.Context, c report.Case) error {
	bytes := s.run.valueBytes(c)
	n := c.Keys
	if n == 0 {
		n = s.run.keysFor(bytes)
	}
	keys := &pairdbKeys{keyset: newKeyset(setOf(c), n), bytes: bytes}
	if setOf(c) != "blind-" && c.Keys == 0 {
		keys.contexts = newContexts(n)
	}
	value := s.run.value(bytes)
	each := max(1, min(batch, (1<<20)/bytes))
	err := inParallel(ctx, 16, (n+each-1)/each, func(ctx context.Context, b int) error {
		items := make([]pairdb.Item, 0, each)
		for i := b * each; i < min(n, (b+1)*each); i++ {
			items = append(items, pairdb.Item{Key: keys.key(i), Value: value})
		}
		results := s.tenant.PutMany(ctx, items, pairdb.NoContext())
		for i := range results {
			if keys.contexts != nil {
				keys.contexts.last[b*each+i] = results[i].Receipt.Context
			}
		}
		return results.FirstErr()
	})
	s.sets[setOf(c)] = keys
	return err
}

func (s *pairdbSubject) op(c report.Case) (load.Op, load.Keys, error) {
	if c.Keys > 0 && s.large != nil {
		return s.large.op(c)
	}
	keys := s.sets[setOf(c)]
	value := s.run.value(keys.bytes)
	pick := load.Keys{N: keys.n, Zipf: c.Zipf}
	blind := func(ctx context.Context, c *load.Caller) error {
		_, err := s.tenant.Put(ctx, keys.key(c.Key()), value)
		return err
	}
	get := func(ctx context.Context, c *load.Caller) error {
		object, err := s.tenant.Get(ctx, keys.key(c.Key()))
		return checked(object.Value, keys.bytes, err)
	}
	switch c.Workload {
	case report.Put:
		return s.put(keys, value), pick, nil
	case report.PutBlind:
		return blind, pick, nil
	case report.Get:
		return get, pick, nil
	case report.Mix:
		return mix(get, blind), pick, nil
	case report.PutMany:
		return s.putMany(keys, value), pick, nil
	case report.GetMany:
		return s.getMany(keys), pick, nil
	}
	return nil, pick, fmt.Errorf("pairdb has no workload %s", c.Workload)
}

// put puts with the context of the key's last receipt.
func (s *pairdbSubject) put(keys *pairdbKeys, value []byte) load.Op {
	return func(ctx context.Context, c *load.Caller) error {
		i := keys.contexts.take(c.Key())
		defer keys.contexts.giveBack(i)
		receipt, err := s.tenant.Put(ctx, keys.key(i), value, pairdb.After(keys.contexts.last[i]))
		if err == nil {
			keys.contexts.last[i] = receipt.Context
		}
		return err
	}
}

func (s *pairdbSubject) putMany(keys *pairdbKeys, value []byte) load.Op {
	return func(ctx context.Context, c *load.Caller) error {
		items, taken := make([]pairdb.Item, batch), make([]int, batch)
		for n := range items {
			i := keys.contexts.take(c.Key())
			taken[n] = i
			items[n] = pairdb.Item{Key: keys.key(i), Value: value, Opts: []pairdb.WriteOption{pairdb.After(keys.contexts.last[i])}}
		}
		results := s.tenant.PutMany(ctx, items)
		for n, i := range taken {
			if results[n].Err == nil {
				keys.contexts.last[i] = results[n].Receipt.Context
			}
			keys.contexts.giveBack(i)
		}
		return results.FirstErr()
	}
}

func (s *pairdbSubject) getMany(keys *pairdbKeys) load.Op {
	return func(ctx context.Context, c *load.Caller) error {
		names := make([]string, batch)
		for n := range names {
			names[n] = keys.key(c.Key())
		}
		return s.tenant.GetMany(ctx, names).FirstErr()
	}
}

func (s *pairdbSubject) idle() int { return s.goroutines }

func (s *pairdbSubject) stop() {
	var all sync.WaitGroup
	if s.large != nil {
		all.Go(s.large.stop)
	}
	if s.client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = s.client.Close(ctx) // what it has not finished is of no use to anybody
	}
	if s.nodes != nil {
		all.Go(s.nodes.stop)
	}
	all.Wait()
}
