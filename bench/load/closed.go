package load

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// An Op is one call of what is measured. It is called by many goroutines, each with a Caller of its own.
type Op func(ctx context.Context, c *Caller) error

// A Window is when to measure, and with which keys.
type Window struct {
	Warm, Length time.Duration
	Keys         Keys
	Seed         uint64 // of the keys
	// Servers, if not nil, tells the processor time that the servers have spent until now. Closed loops ask it.
	Servers func() time.Duration
}

// A Result is what one measurement found.
type Result struct {
	PerSecond float64 // calls that succeeded, per second of the measured time
	Latency   Percentiles
	Late      Percentiles // open loop: how late the generator itself began the calls
	Errors    int64
	Err       error // the first of them
	Process   Process
}

// hopeless is after how many failures in a row a caller gives up: a server that is gone fails fast, and would
// have the callers spin.
const hopeless = 1_000

// extensions bounds how often a window is added to one in which fewer calls ended than there are callers.
const extensions = 3

// Closed keeps callers busy for a window, or up to four where calls are as slow as the window is long. It ends early, without an error of its own, when ctx does.
func Closed(ctx context.Context, op Op, callers int, w Window) Result {
	var (
		latency  = newRecorder()
		failures failures
		phase    atomic.Int32 // warming up, measuring, over
		all      sync.WaitGroup
		idle     = runtime.NumGoroutine()
	)
	for i := range callers {
		caller := NewCaller(i, w.Seed, w.Keys)
		all.Go(func() {
			// A context of its own, as a request has: callers of one context would meet at its lock.
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			failed := 0
			for began := time.Now(); phase.Load() != over && failed < hopeless; {
				err := op(ctx, caller)
				ended := time.Now()
				switch {
				case phase.Load() != measuring:
				case err != nil:
					failures.add(err)
				default:
					latency.add(i, ended.Sub(began))
				}
				if failed++; err == nil {
					failed = 0
				}
				began = ended
			}
		})
	}
	pause(ctx, w.Warm)
	servers := w.servers()
	meter := startMeter(idle)
	phase.Store(measuring)
	began := time.Now()
	pause(ctx, w.Length/2)
	meter.look()
	pause(ctx, w.Length-w.Length/2)
	for range extensions {
		if latency.count()+failures.count.Load() < int64(callers) {
			pause(ctx, w.Length)
		}
	}
	phase.Store(over)
	elapsed := time.Since(began)
	r := Result{Latency: percentiles(latency.merged()), Errors: failures.count.Load(), Err: failures.first()}
	r.PerSecond = float64(r.Latency.Count) / elapsed.Seconds()
	r.Process = meter.stop(r.Latency.Count)
	if spent := w.servers() - servers; spent > 0 {
		r.Process.AllCPU = r.Process.CPU + spent/time.Duration(max(1, r.Latency.Count))
	}
	all.Wait()
	return r
}

func (w *Window) servers() time.Duration {
	if w.Servers == nil {
		return 0
	}
	return w.Servers()
}

const (
	warming int32 = iota
	measuring
	over
)

// pause waits until d has passed or ctx has ended.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// failures counts errors and keeps the first.
type failures struct {
	count atomic.Int64
	err   atomic.Pointer[error]
}

func (f *failures) add(err error) {
	f.count.Add(1)
	f.err.CompareAndSwap(nil, &err)
}

func (f *failures) first() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}
