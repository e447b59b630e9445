package load

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"
)

// Bounds of an open loop.
const (
	maxOpen = 4_096                  // calls under way at once; what comes on top waits, and its latency counts
	grace   = 2 * time.Second        // for calls to begin that should have begun in the window
	tick    = 100 * time.Microsecond // the shortest pause of the generator; calls due within it begin together
)

var errNeverBegun = errors.New("the call had not begun two seconds after the end of the measurement")

// Open begins rate calls per second for a window. A call's latency counts from when it should have begun. Calls
// that had not begun within a grace of two seconds after the end count as errors, and with the time until then.
func Open(ctx context.Context, op Op, rate float64, w Window) Result {
	clock := newTicker(tick)
	defer clock.close()
	return open(ctx, op, rate, w, clock.wait)
}

// open is Open with the generator's way to pause.
func open(ctx context.Context, op Op, rate float64, w Window, pause func(time.Duration)) Result {
	plan := schedule{rate}
	o := &openLoop{
		op: op, window: w, plan: plan, pause: pause,
		first: plan.total(w.Warm), end: plan.total(w.Warm + w.Length),
		calls:   make(chan int64),
		latency: newRecorder(), late: newRecorder(),
		start: time.Now(),
	}
	idle := runtime.NumGoroutine()
	begun, process := o.generate(ctx, idle)
	close(o.calls)
	o.workers.Wait()
	r := Result{Late: percentiles(o.late.merged()), Process: process}
	r.PerSecond = float64(r.Late.Count) / w.Length.Seconds()
	if ctx.Err() == nil {
		for n := max(begun, o.first); n < o.end; n++ {
			o.failures.add(errNeverBegun)
			o.latency.add(0, time.Since(o.start)-plan.at(n))
		}
	}
	r.Latency, r.Errors, r.Err = percentiles(o.latency.merged()), o.failures.count.Load(), o.failures.first()
	return r
}

// An openLoop numbers its calls from 0; those from first to end, exclusive, count.
type openLoop struct {
	op         Op
	window     Window
	plan       schedule
	pause      func(time.Duration)
	first, end int64
	start      time.Time

	calls   chan int64 // from the generator to a free worker
	workers sync.WaitGroup
	started int // workers; used by the generator alone

	latency, late *recorder
	failures      failures
}

// generate begins the calls, and returns how many it has begun and what the process spent on those that count.
func (o *openLoop) generate(ctx context.Context, idle int) (int64, Process) {
	meter := startMeter(idle)
	var n int64
	for n < o.end && ctx.Err() == nil {
		due := min(o.plan.due(time.Since(o.start)), o.end)
		for ; n < due; n++ {
			switch n {
			case o.first:
				meter = startMeter(idle)
			case (o.first + o.end) / 2:
				meter.look()
			}
			if !o.begin(ctx, n) {
				return n, meter.stop(n - o.first)
			}
		}
		if wait := o.plan.at(n) - time.Since(o.start); n < o.end && wait > 0 {
			o.pause(wait)
		}
	}
	return n, meter.stop(n - o.first)
}

// begin hands call n to a worker: one that is free, or else a further one, or else the first that gets free. It
// returns false if none does within the grace.
func (o *openLoop) begin(ctx context.Context, n int64) bool {
	select {
	case o.calls <- n:
		return true
	default:
	}
	if o.started < maxOpen {
		id := o.started
		o.started++
		o.workers.Go(func() { o.work(ctx, id, n) })
		return true
	}
	timer := time.NewTimer(o.window.Warm + o.window.Length + grace - time.Since(o.start))
	defer timer.Stop()
	select {
	case o.calls <- n:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (o *openLoop) work(ctx context.Context, id int, n int64) {
	ctx, cancel := context.WithCancel(ctx) // as in Closed
	defer cancel()
	caller := NewCaller(id, o.window.Seed, o.window.Keys)
	for more := true; more; n, more = <-o.calls {
		should := o.plan.at(n)
		began := time.Since(o.start)
		err := o.op(ctx, caller)
		ended := time.Since(o.start)
		switch {
		case n < o.first:
		case err != nil:
			o.failures.add(err)
		default:
			o.late.add(id, began-should)
			o.latency.add(id, ended-should)
		}
	}
}
