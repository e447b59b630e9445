package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/report"
)

const (
	overFactor   = 3                      // of the highest throughput: what is offered
	overDeadline = time.Second            // of a call
	overGrace    = 250 * time.Millisecond // for a caller to be woken, on processors that have three times too much to do
	overWarm     = time.Second

	// overKeys are several for each call that is under way, since a call has its key to itself.
	overKeys = 4 * offerAtOnce
)

func overloadScenario() Scenario {
	return Scenario{Name: "overload", Quick: true, Takes: 9 * time.Second, Run: runOverload}
}

// runOverload offers more puts than can be done, each with its deadline.
func runOverload(ctx context.Context, r *Run) (found Findings, err error) {
	running, err := startNodes(ctx, r, replicas, false)
	if err != nil {
		return found, err
	}
	defer running.stop()
	s, err := openClient(ctx, r.withKeys(overKeys), running.topology(), "overload")
	if err != nil {
		return found, err
	}
	defer s.stop()
	put := s.putOnce(s.sets["known-"], r.value(r.Settings.ValueBytes))
	highest, err := highestOf(ctx, r, put)
	if err != nil {
		return found, err
	}
	o := &overload{op: put, clear: saysWhatAndWhy, rate: highest * overFactor, deadline: overDeadline, grace: overGrace}
	length := inMode(r, 30*time.Second, 4*time.Second)
	r.progress.show(true, "overload: %s/s for %s", report.Thousands(o.rate), length)
	runtime.GC()
	before, most := memoryInUse(), watchMemory()
	t := o.run(ctx, overWarm, length)
	peak := most()
	if ctx.Err() != nil {
		return found, ctx.Err()
	}
	if t.unclear > 0 {
		r.remark("overload: %d errors did not say what became of the put and why, such as: %v", t.unclear, t.unclearErr)
	}
	found.Figures = overFigures(t, highest, length, before, peak)
	return found, nil
}

// highestOf is the most puts per second that callers who wait for each other's end get done: of 256 and of 1,024, twice
// each. The puts are those that are offered then, deadlines and all.
func highestOf(ctx context.Context, r *Run, put func(ctx context.Context, n int64) error) (highest float64, err error) {
	m := measurer{run: r}
	op := func(ctx context.Context, c *load.Caller) error { return put(ctx, int64(c.Key())) }
	for _, callers := range []int{256, 1024, 256, 1024} {
		runtime.GC()
		found := load.Closed(ctx, op, callers, m.window(inMode(r, time.Second, 300*time.Millisecond), load.Keys{N: overKeys}))
		if err := orEnded(ctx, found.Err); err != nil {
			return 0, err
		}
		highest = max(highest, found.PerSecond)
	}
	return highest, nil
}

// putOnce puts the key of a call's number, or the next one that nobody has, with the context of its last receipt. After
// an error that does not rule it out that something is stored, the next put of the key is without. The deadline is the call's own: a
// context's would cost more than a put that is refused. And the options are made of the receipt, not for each put of the
// key, of which most are refused.
func (s *pairdbSubject) putOnce(keys *pairdbKeys, value []byte) func(ctx context.Context, n int64) error {
	const stride = 7919 // calls that are neighbours have keys that are not
	deadline := pairdb.WriteOption(pairdb.Timeout(overDeadline))
	after := make([]pairdb.WriteOption, keys.n) // whose each is, is the contexts' to say
	for i, last := range keys.contexts.last {
		if !last.IsZero() {
			after[i] = pairdb.After(last)
		}
	}
	return func(ctx context.Context, n int64) error {
		i := keys.contexts.take(int(n * stride % int64(keys.n)))
		defer keys.contexts.giveBack(i)
		opts := append(make([]pairdb.WriteOption, 0, 2), deadline)
		if after[i] != nil {
			opts = append(opts, after[i])
		}
		receipt, err := s.tenant.Put(ctx, keys.key(i), value, opts...)
		switch {
		case err == nil:
			after[i] = pairdb.After(receipt.Context)
		case !errors.Is(err, pairdb.ErrNotApplied):
			after[i] = nil
		}
		return err
	}
}

func overFigures(t tally, highest float64, length time.Duration, before, peak uint64) []report.Figure {
	per := func(n int64) string { return report.Thousands(float64(n)/length.Seconds()) + "/s" }
	return []report.Figure{
		{Name: "overload/goodput", Value: float64(t.good) / length.Seconds() / highest, Unit: "×", Note: fmt.Sprintf(
			"%s ÷ %s/s; offered %s for %s, of which the program began %s too late to count, up to %s at once",
			per(t.good), report.Thousands(highest), per(t.offered), length, per(t.shed), report.Thousands(float64(t.most)))},
		{Name: "overload/late", Value: float64(t.late + t.unclear), Note: fmt.Sprintf(
			"or without a clear error: %d; deadline %s and %s to be woken, the latest %s after the deadline; %s refused clearly",
			t.unclear, overDeadline, overGrace, t.latest.Round(time.Millisecond), per(t.refused))},
		{Name: "overload/memory", Value: float64(peak-min(before, peak)) / mib, Unit: "MiB", Note: fmt.Sprintf(
			"heap in use and stacks of the whole program, which held %d MiB before", before/mib)},
	}
}

// saysWhatAndWhy says whether an error of a put has an outcome and a cause that programs can test for.
func saysWhatAndWhy(err error) bool {
	is := func(target error) bool { return errors.Is(err, target) }
	outcomes := []error{pairdb.ErrNotApplied, pairdb.ErrUnknown}
	causes := []error{pairdb.ErrOverloaded, pairdb.ErrUnavailable, context.DeadlineExceeded}
	return slices.ContainsFunc(outcomes, is) && slices.ContainsFunc(causes, is)
}
