package main

import (
	"context"
	"sync"
	"time"
)

const (
	// offerAtOnce bounds the calls under way, as a service has so many workers and no more.
	offerAtOnce = 1 << 14

	// offerTick is how often calls become due.
	offerTick = time.Millisecond

	// offerPatience is how long a call may be due before it is begun: past it the program has no worker free or
	// no processor, and the call counts as not begun. Were it long, a machine that cannot even refuse
	// all would do nothing else.
	offerPatience = 20 * time.Millisecond
)

// An overload begins calls at a rate, whatever became of the earlier ones.
//
// What offers costs processor time that what is offered lacks. So workers take the calls that are due by themselves:
// one whose call is refused at once goes on with the next, and another is woken only for the calls
// that are due while this one may have to wait in its own. A call that is refused at once costs the program no
// wake-up. Nor does it yield: a worker that yields in a call has another one woken in its place, until all of them
// are ready to run and the program measures itself.
type overload struct {
	op              func(ctx context.Context, n int64) error // has the deadline
	clear           func(error) bool                         // whether an error says what became of the call
	rate            float64                                  // per second
	deadline, grace time.Duration                            // of op, and for its caller to be woken

	ctx    context.Context // of run
	all    sync.WaitGroup
	mu     sync.Mutex // guards what follows
	wake   sync.Cond  // calls are due, or it is over
	due    int64      // calls with a smaller number are due
	taken  int64      // and those with a smaller number than this are begun, or never will be
	first  int64      // that counts
	idle   int        // workers that wait
	atOnce int        // workers
	waking bool       // one of them is on its way to take a call
	over   bool
	t      tally
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
	o.ctx, o.wake.L = ctx, &o.mu
	start := time.Now()
	first, end := int64(o.rate*warm.Seconds()), int64(o.rate*(warm+length).Seconds())
	o.first = first
	for due := int64(0); due < end && ctx.Err() == nil; time.Sleep(offerTick) {
		due = min(end, int64(o.rate*time.Since(start).Seconds()))
		o.offer(due)
	}
	o.end()
	o.all.Wait()
	o.t.most = o.atOnce
	return o.t
}

// end gives the calls that are due their time to be begun, and ends the workers when theirs have ended.
func (o *overload) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for begun := time.Now(); o.taken < o.due && time.Since(begun) < offerPatience; {
		o.wakeOne()
		o.mu.Unlock()
		time.Sleep(offerTick)
		o.mu.Lock()
	}
	o.shed(o.due)
	o.over = true
	o.wake.Broadcast()
}

// offer makes the calls before due due, and those not begun that have been so for too long.
func (o *overload) offer(due int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.t.offered += max(0, due-max(o.due, o.first))
	o.due = due
	o.shed(due - int64(o.rate*offerPatience.Seconds()))
	o.wakeOne()
}

// shed gives up the calls before n that nobody has begun.
func (o *overload) shed(n int64) {
	if n > o.taken {
		o.t.shed += max(0, n-max(o.taken, o.first))
		o.taken = n
	}
}

// wakeOne sees to it that a worker comes for the calls that are due, if there is one to be had. mu is held.
func (o *overload) wakeOne() {
	switch {
	case o.taken == o.due || o.waking:
	case o.idle > 0:
		o.waking = true
		o.wake.Signal()
	case o.atOnce < offerAtOnce:
		o.waking = true
		o.atOnce++
		o.all.Go(o.work)
	}
}

// take waits for the next call, and reports whether there is one.
func (o *overload) take(woken bool) (n int64, more bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if woken {
		o.waking = false
	}
	for o.taken == o.due && !o.over {
		o.idle++
		o.wake.Wait()
		o.idle--
		o.waking = false
	}
	if o.taken == o.due || o.ctx.Err() != nil {
		return 0, false
	}
	n = o.taken
	o.taken++
	o.wakeOne()
	return n, true
}

func (o *overload) work() {
	// A context of its own, as a request has: callers of one context would meet at its lock.
	ctx, cancel := context.WithCancel(o.ctx)
	defer cancel()
	var mine tally
	for n, more := o.take(true); more; n, more = o.take(false) {
		found := o.call(ctx, n)
		if n >= o.first {
			mine.add(found)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.t.add(mine)
}

// call makes one call and says in a tally of one what became of it.
func (o *overload) call(ctx context.Context, n int64) (t tally) {
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
