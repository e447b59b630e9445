package main

import (
	"context"
	"sync"
	"time"
)

// offerAtOnce bounds the calls under way. What comes on top is not begun, as in a service that has run out of
// workers.
const offerAtOnce = 1 << 14

// offerTick is how often calls are begun: those that are due begin together.
const offerTick = time.Millisecond

// An overload begins calls at a rate, whatever became of the earlier ones, each with a deadline of its own.
type overload struct {
	op              func(ctx context.Context, n int64) error
	clear           func(error) bool // whether an error says what became of the call
	rate            float64          // per second
	deadline, grace time.Duration

	calls   chan offered
	workers sync.WaitGroup
	atOnce  int

	mu sync.Mutex
	t  tally // offered, shed and most are the generator's, the rest is guarded by mu
}

// An offered call has a number, and is counted or not.
type offered struct {
	n      int64
	counts bool
}

// A tally is what became of the calls that were due while the load was measured.
type tally struct {
	offered, shed int64         // shed: were not begun
	good          int64         // succeeded by deadline and grace
	refused       int64         // failed clearly
	unclear       int64         // failed otherwise
	unclearErr    error         // the first of those
	late          int64         // ended after deadline and grace, however
	latest        time.Duration // the most by which one ended after its deadline
	most          int           // workers: calls that were under way at once
}

func (t *tally) add(u tally) {
	t.good, t.refused, t.unclear, t.late = t.good+u.good, t.refused+u.refused, t.unclear+u.unclear, t.late+u.late
	t.latest = max(t.latest, u.latest)
	if t.unclearErr == nil {
		t.unclearErr = u.unclearErr
	}
}

// run offers calls for a time that does not count and then for one that does, and returns when all have ended.
func (o *overload) run(ctx context.Context, warm, length time.Duration) tally {
	o.calls = make(chan offered)
	start := time.Now()
	first, end := int64(o.rate*warm.Seconds()), int64(o.rate*(warm+length).Seconds())
	for n := int64(0); n < end && ctx.Err() == nil; time.Sleep(offerTick) {
		for due := min(end, int64(o.rate*time.Since(start).Seconds())); n < due; n++ {
			o.begin(ctx, offered{n, n >= first})
		}
	}
	close(o.calls)
	o.workers.Wait()
	o.t.most = o.atOnce
	return o.t
}

// begin hands a call to a worker that is free, or to a further one.
func (o *overload) begin(ctx context.Context, call offered) {
	if call.counts {
		o.t.offered++
	}
	select {
	case o.calls <- call:
		return
	default:
	}
	if o.atOnce < offerAtOnce {
		o.atOnce++
		o.workers.Go(func() { o.work(ctx, call) })
	} else if call.counts {
		o.t.shed++
	}
}

func (o *overload) work(ctx context.Context, call offered) {
	var mine tally
	for more := true; more; call, more = <-o.calls {
		found := o.call(ctx, call.n)
		if call.counts {
			mine.add(found)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.t.add(mine)
}

// call makes one call and says in a tally of one what became of it.
func (o *overload) call(ctx context.Context, n int64) (t tally) {
	ctx, cancel := context.WithTimeout(ctx, o.deadline)
	defer cancel()
	began := time.Now()
	err := o.op(ctx, n)
	t.latest = max(0, time.Since(began)-o.deadline)
	switch {
	case err != nil && !o.clear(err):
		t.unclear, t.unclearErr = 1, err
	case err != nil:
		t.refused = 1
	case t.latest <= o.grace:
		t.good = 1
	}
	if t.latest > o.grace {
		t.late = 1
	}
	return t
}
