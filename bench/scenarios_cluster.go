package main

import (
	"context"
	"runtime"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
	"github.com/devrev/pairdb/topology"
)

// openClient opens a client of nodes that are running, and stores the keys of Put and of Get for it. Its stop
// leaves the nodes alone.
func openClient(ctx context.Context, r *Run, src topology.Source, tenant string, opts ...pairdb.Option) (*pairdbSubject, error) {
	s := &pairdbSubject{run: r, sets: map[string]*pairdbKeys{}}
	opts = append(opts, pairdb.WithLimits(pairdb.Limits{KeyMemory: r.Settings.KeyMemory}))
	var err error
	if s.client, err = pairdb.Open(ctx, src, opts...); err != nil {
		return nil, err
	}
	s.tenant = s.client.Tenant(tenant)
	if err = s.client.Ready(ctx); err == nil {
		err = s.storeAll(ctx)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *pairdbSubject) storeAll(ctx context.Context) error {
	for _, w := range []string{report.Put, report.Get} {
		if err := s.store(ctx, report.Case{Workload: w}); err != nil {
			return err
		}
	}
	return nil
}

// withKeys is for subjects that are to have so many keys of each kind.
func (r *Run) withKeys(n int) *Run {
	small := &Run{Mode: r.Mode, Settings: r.Settings, values: map[int][]byte{}}
	small.Settings.Keys = n
	return small
}

// A measurer measures one of the subject's workloads outside the rounds.
type measurer struct {
	run  *Run
	seed uint64 // another one for each measurement
}

func (m *measurer) window(length time.Duration, keys load.Keys) load.Window {
	m.seed++
	return load.Window{Warm: length / 4, Length: length, Keys: keys, Seed: m.run.Settings.Seed + m.seed}
}

func (m *measurer) closed(ctx context.Context, s *pairdbSubject, workload string, callers int, length time.Duration) (load.Result, error) {
	op, keys, err := s.op(report.Case{Workload: workload})
	if err != nil {
		return load.Result{}, err
	}
	runtime.GC()
	found := load.Closed(ctx, op, callers, m.window(length, keys))
	return found, orEnded(ctx, found.Err)
}

func (m *measurer) open(ctx context.Context, s *pairdbSubject, workload string, rate float64, length time.Duration) (load.Result, error) {
	op, keys, err := s.op(report.Case{Workload: workload})
	if err != nil {
		return load.Result{}, err
	}
	runtime.GC()
	found := load.Open(ctx, op, rate, m.window(length, keys))
	return found, orEnded(ctx, found.Err)
}

// orEnded prefers the reason why a measurement was broken off.
func orEnded(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// inMode picks by the run's mode.
func inMode[T any](r *Run, full, quick T) T {
	if r.Mode == report.Quick {
		return quick
	}
	return full
}

const mib = 1 << 20
