// Command throughput compares pairdb with what one writes by hand: three
// parallel unary gRPC calls, wait for two. Both run against three memory nodes
// in another process, in turns within one run, so that the ratio holds where
// the machine's speed drifts.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	replicas  = 3
	keys      = 100_000
	valueSize = 100
)

func main() {
	if os.Getenv(serveEnv) != "" {
		serve()
		return
	}
	seconds := flag.Float64("seconds", 1, "length of one measurement")
	rounds := flag.Int("rounds", 3, "rounds; the medians are printed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, time.Duration(*seconds*float64(time.Second)), *rounds)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "throughput:", err)
		os.Exit(1)
	}
}

// A subject is one way to put and get, measured under several loads.
type subject struct {
	name string
	do   func(ctx context.Context, worker, n int) error
}

func run(ctx context.Context, length time.Duration, rounds int) error {
	subjects, stop, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer stop()
	loads := []int{1, 64, 256}
	results := map[string]map[int][]sample{}
	for round := range rounds {
		for _, s := range subjects {
			for _, callers := range loads {
				fmt.Fprintf(os.Stderr, "\rround %d of %d: %-26s %4d callers", round+1, rounds, s.name, callers)
				m, err := measure(ctx, s, callers, length)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				if results[s.name] == nil {
					results[s.name] = map[int][]sample{}
				}
				results[s.name][callers] = append(results[s.name][callers], m)
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	report(subjects, loads, results)
	return nil
}

// A sample is one measurement.
type sample struct {
	rate       float64 // operations per second
	p50, p99   time.Duration
	allocs     float64 // per operation, of the whole client process
	goroutines int     // at the end, callers included
}

func measure(ctx context.Context, s subject, callers int, length time.Duration) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	latencies := make([][]time.Duration, callers)
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	var goroutines int
	start := time.Now()
	for w := range callers {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				began := time.Now()
				err := s.do(context.Background(), w, n)
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				latencies[w] = append(latencies[w], time.Since(began))
			}
		})
	}
	<-ctx.Done()
	goroutines = runtime.NumGoroutine()
	all.Wait()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	if err := failed.Load(); err != nil {
		return sample{}, *err
	}
	merged := slices.Concat(latencies...)
	if len(merged) == 0 {
		return sample{}, errors.New("nothing was done")
	}
	slices.Sort(merged)
	return sample{
		rate:       float64(len(merged)) / elapsed.Seconds(),
		p50:        merged[len(merged)/2],
		p99:        merged[len(merged)*99/100],
		allocs:     float64(after.Mallocs-before.Mallocs) / float64(len(merged)),
		goroutines: goroutines,
	}, nil
}

func report(subjects []subject, loads []int, results map[string]map[int][]sample) {
	fmt.Printf("%s, %d cores, GOMAXPROCS %d; N = %d, %d-byte values, %d keys; medians\n\n",
		runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), replicas, valueSize, keys)
	fmt.Println("| | callers | operations/s | × unary | p50 | p99 | allocations | goroutines |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|")
	for _, s := range subjects {
		for _, callers := range loads {
			m := results[s.name][callers]
			base := results[baseline(s.name)][callers]
			fmt.Printf("| %s | %d | %.0f | %.2f | %v | %v | %.0f | %d |\n", s.name, callers,
				median(m, rate), median(m, rate)/median(base, rate),
				time.Duration(median(m, func(s sample) float64 { return float64(s.p50) })).Round(time.Microsecond),
				time.Duration(median(m, func(s sample) float64 { return float64(s.p99) })).Round(time.Microsecond),
				median(m, func(s sample) float64 { return s.allocs }),
				int(median(m, func(s sample) float64 { return float64(s.goroutines) })))
		}
	}
}

func rate(s sample) float64 { return s.rate }

func median(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, 0, len(samples))
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.SortFunc(values, cmp.Compare)
	return values[len(values)/2]
}
