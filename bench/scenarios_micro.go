package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/vclock"
)

// microTime is what one measurement of a micro-benchmark takes, about. The figure is the least of microRounds,
// by the clock or by the process's own time: what else runs on the machine only ever adds to the one, and the collector's
// idle workers to the other.
const (
	microTime   = "15ms"
	microRounds = 9
)

func microScenario() Scenario {
	return Scenario{Name: "micro", Quick: true, Takes: 3 * time.Second, Run: runMicro}
}

// A micro is a micro-benchmark, with the names of its figures; an empty name is none.
type micro struct {
	time, unit string // of one iteration
	allocs     string
	run        func(b *testing.B)
}

// perUnit is how many nanoseconds a unit has.
var perUnit = map[string]float64{"ns": 1, "ms": 1e6}

func runMicro(ctx context.Context, r *Run) (found Findings, err error) {
	testing.Init() // the flags, of which none is on the command line
	if err := flag.Set("test.benchtime", microTime); err != nil {
		return found, err
	}
	list, err := micros()
	if err != nil {
		return found, err
	}
	// With the few bytes of a program that has just begun, the collector runs every few milliseconds; and a round's
	// garbage, where it is much of the heap, goes back to the operating system before the next round: a third of the
	// join would be page faults. No byte of this is touched.
	heap := make([]byte, 512<<20)
	defer func() {
		runtime.KeepAlive(heap)
		heap = nil
		runtime.GC() // else what is measured after this has the collector's goal of a large heap
	}()
	times, allocs := make([][]float64, len(list)), make([]float64, len(list))
	for round := range microRounds {
		for i, m := range list {
			if ctx.Err() != nil {
				return found, ctx.Err()
			}
			r.progress.show(false, "micro: round %d of %d, %s", round+1, microRounds, m.time)
			result, spent := m.measure()
			if result.N == 0 {
				return found, fmt.Errorf("%s did not run", m.time)
			}
			times[i] = append(times[i], float64(spent.Nanoseconds())/float64(result.N)/perUnit[m.unit])
			allocs[i] = max(allocs[i], float64(result.AllocsPerOp()))
		}
	}
	for i, m := range list {
		note := fmt.Sprintf("the least of %d rounds; median %.3g %s", microRounds, report.Median(times[i]), m.unit)
		found.Figures = append(found.Figures, report.Figure{Name: m.time, Value: slices.Min(times[i]), Unit: m.unit, Note: note})
	}
	found.Figures = append(found.Figures, allocFigures(list, allocs)...)
	return found, nil
}

// measure runs the benchmark, and returns what all of its iterations took.
func (m *micro) measure() (result testing.BenchmarkResult, spent time.Duration) {
	result = testing.Benchmark(func(b *testing.B) {
		began := load.CPUTime()
		m.run(b)
		spent = load.CPUTime() - began
	})
	return result, min(spent, result.T)
}

// allocFigures has each name once, with the most of the benchmarks that share it.
func allocFigures(list []micro, allocs []float64) (figures []report.Figure) {
	for i, m := range list {
		if m.allocs == "" {
			continue
		}
		known := false
		for j := range figures {
			if figures[j].Name == m.allocs {
				figures[j].Value, known = max(figures[j].Value, allocs[i]), true
			}
		}
		if !known {
			figures = append(figures, report.Figure{Name: m.allocs, Value: allocs[i]})
		}
	}
	return figures
}

// The benchmarks keep what they compute, so that the compiler cannot leave the work out.
type sinks struct {
	owners []int32
	order  vclock.Order
	state  vclock.State
}

func micros() ([]micro, error) {
	nodes := make([]ring.Node, 1000)
	for i := range nodes {
		nodes[i] = ring.Node{ID: fmt.Sprintf("node-%04d", i), Zone: fmt.Sprintf("z%d", i%replicas)}
	}
	cfg := ring.Config{VNodes: 150}
	large, err := ring.New(cfg, nodes)
	if err != nil {
		return nil, err
	}
	sink := new(sinks)
	return []micro{
		{"ring/lookup-token", "ns", "ring/lookup-allocs", func(b *testing.B) {
			b.ReportAllocs()
			token := large.Token(tenantID, "user/4711")
			for b.Loop() {
				token = token*6364136223846793005 + 1442695040888963407
				sink.owners = large.Owners(large.Partition(token), replicas)
			}
		}},
		{"ring/lookup-key", "ns", "ring/lookup-allocs", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink.owners = large.Owners(large.Partition(large.Token(tenantID, "user/4711/profile/settings")), replicas)
			}
		}},
		{"ring/build", "ms", "", func(b *testing.B) {
			for b.Loop() {
				if _, err := ring.New(cfg, nodes); err != nil {
					b.Fatal(err)
				}
			}
		}},
		compareMicro("clock/compare-3", 3, sink),
		compareMicro("clock/compare-50", 50, sink),
		joinMicro(sink),
	}, nil
}

// compareMicro compares clocks of the same actors, of which one has seen a later write of the last: every entry is
// looked at.
func compareMicro(name string, entries int, sink *sinks) micro {
	a, b := clockOf(entries), clockOf(entries)
	b[entries-1].Stamp += 1_000
	return micro{name, "ns", "clock/compare-allocs", func(bench *testing.B) {
		bench.ReportAllocs()
		for bench.Loop() {
			sink.order = a.Compare(b)
		}
	}}
}

func clockOf(entries int) vclock.Clock {
	c := make(vclock.Clock, entries)
	for i := range c {
		c[i] = vclock.Dot{Actor: vclock.Actor(i+1) * 0x9e3779b97f00, Stamp: vclock.Stamp(i + 1)}
	}
	return c
}

// joinMicro joins the first two writes to a key, neither of which saw the other: both survive.
func joinMicro(sink *sinks) micro {
	write := func(d vclock.Dot) vclock.State {
		return vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: d, Value: []byte("value")})
	}
	x, y := write(vclock.Dot{Actor: 1, Stamp: 1}), write(vclock.Dot{Actor: 2, Stamp: 2})
	return micro{"clock/join", "ns", "clock/join-allocs", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink.state = vclock.Join(vclock.Causal, x, y)
		}
	}}
}
