package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/peers"
	"github.com/devrev/pairdb/bench/report"
)

// A subject is one of those that are measured: it runs, and its keys are stored.
type subject interface {
	// op returns the call that a case measures, and the keys to call it with.
	op(c report.Case) (load.Op, load.Keys, error)
	// idle is how many goroutines of this process the subject holds while nobody calls it, if it counts them.
	idle() int
	stop()
}

// A starter starts a subject's servers, connects to them and stores the keys that the cases ask for.
type starter struct {
	report.Subject
	start func(ctx context.Context, r *Run, cases []report.Case) (subject, error)
}

// starters lists all subjects, in the order of the tables.
func starters() []starter {
	list := pairdbStarters()
	for _, p := range peers.All() {
		list = append(list, starter{
			report.Subject{Name: p.Name, About: p.About},
			func(ctx context.Context, r *Run, cases []report.Case) (subject, error) {
				return startPeer(ctx, r, p, cases)
			},
		})
	}
	return append(list, starter{
		report.Subject{Name: report.Disk, About: "one append of 512 bytes to a file and its fdatasync, where the nodes have their directories."},
		startDisk,
	})
}

// A peerSubject is a peer with its keys.
type peerSubject struct {
	store peers.Store
	end   func()
	run   *Run
	sets  map[int]keyset // by the bytes of a value
}

func startPeer(ctx context.Context, r *Run, p peers.Peer, cases []report.Case) (subject, error) {
	store, end, err := p.Start(ctx, peers.Env{Dir: r.dir, Log: r.serverLog})
	if err != nil {
		return nil, err
	}
	s := &peerSubject{store: store, end: end, run: r, sets: map[int]keyset{}}
	for _, c := range cases {
		bytes := r.valueBytes(c)
		if _, done := s.sets[bytes]; done {
			continue
		}
		keys := newKeyset(fmt.Sprintf("v%d-", bytes), r.keysFor(bytes))
		if err := inParallel(ctx, 128, keys.n, func(ctx context.Context, i int) error {
			return store.Put(ctx, keys.key(i), r.value(bytes))
		}); err != nil {
			end()
			return nil, fmt.Errorf("store the keys: %w", err)
		}
		s.sets[bytes] = keys
	}
	return s, nil
}

func (s *peerSubject) op(c report.Case) (load.Op, load.Keys, error) {
	bytes := s.run.valueBytes(c)
	keys, value := s.sets[bytes], s.run.value(bytes)
	put := func(ctx context.Context, c *load.Caller) error { return s.store.Put(ctx, keys.key(c.Key()), value) }
	get := func(ctx context.Context, c *load.Caller) error {
		got, err := s.store.Get(ctx, keys.key(c.Key()))
		return checked(got, bytes, err)
	}
	pick := load.Keys{N: keys.n, Zipf: c.Zipf}
	switch c.Workload {
	case report.Put:
		return put, pick, nil
	case report.Get:
		return get, pick, nil
	case report.Mix:
		return mix(get, put), pick, nil
	}
	return nil, pick, fmt.Errorf("%s has no workload %s", c.Subject, c.Workload)
}

func (s *peerSubject) idle() int { return 0 }
func (s *peerSubject) stop()     { s.end() }

// mix gets, and puts once in twenty calls.
func mix(get, put load.Op) load.Op {
	return func(ctx context.Context, c *load.Caller) error {
		if c.Rand.IntN(100) < 5 {
			return put(ctx, c)
		}
		return get(ctx, c)
	}
}

// checked makes a value of another size than was stored an error: a fast wrong answer is no answer.
func checked(got []byte, bytes int, err error) error {
	if err == nil && len(got) != bytes {
		return fmt.Errorf("got %d bytes, and %d were stored", len(got), bytes)
	}
	return err
}

// inParallel calls do for the numbers from 0 to n-1 from several goroutines, until one fails.
func inParallel(ctx context.Context, goroutines, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
