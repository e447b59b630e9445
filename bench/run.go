package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/devrev/pairdb/bench/child"
	"github.com/devrev/pairdb/bench/load"
	"github.com/devrev/pairdb/bench/peers"
	"github.com/devrev/pairdb/bench/report"
)

// A Run is one run of the program: its servers, and what it has found so far.
type Run struct {
	Mode     string
	Settings report.Settings
	Results  *report.Results

	dir       string // for the servers' files; removed at the end
	serverLog io.Writer
	progress  *progress
	only      *regexp.Regexp
	begun     time.Time
	limit     time.Duration

	mu       sync.Mutex
	subjects map[string]subject // guarded by mu while they start
	values   map[int][]byte     // guarded by mu; by size
}

func newRun(o *options) (*Run, error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return nil, fmt.Errorf("--only: %w", err)
	}
	space := uint64(fullSpace)
	if o.quick {
		space = quickSpace
	}
	dir, system, err := makeDir(o.dir, space)
	if err != nil {
		return nil, err
	}
	r := &Run{
		Mode: o.mode(), Settings: o.settings, dir: dir, serverLog: os.Stderr, progress: newProgress(os.Stderr),
		only: only, begun: time.Now(), limit: o.limit, subjects: map[string]subject{}, values: map[int][]byte{},
	}
	r.Results = &report.Results{Begun: r.begun, Mode: r.Mode, Machine: thisMachine(system), Versions: versions()}
	return r, nil
}

// close ends all servers and removes their files.
func (r *Run) close() {
	var all sync.WaitGroup
	for _, s := range r.subjects {
		all.Go(s.stop)
	}
	all.Wait()
	_ = os.RemoveAll(r.dir)
}

// measure starts the subjects, measures every case in every round, and then the scenarios.
func (r *Run) measure(ctx context.Context) error {
	var names []string
	list := starters()
	for _, s := range list {
		names = append(names, s.Name)
	}
	closed, open := plan(r.Mode, names, r.only)
	if len(closed)+len(open)+len(r.chosen()) == 0 {
		all, _ := plan(r.Mode, names, regexp.MustCompile(""))
		return fmt.Errorf("nothing to measure: no case and no scenario matches --only; the first of them are %q and %q", all[0], scenarios()[0].Name)
	}
	if err := r.start(ctx, list, append(slices.Clone(closed), open...)); err != nil {
		return err
	}
	skipped := func(c report.Case) bool { return r.subjects[c.Subject] == nil }
	closed, open = slices.DeleteFunc(closed, skipped), slices.DeleteFunc(open, skipped)
	r.share(len(closed) + len(open))
	for _, cases := range [][]report.Case{closed, open} {
		if err := r.rounds(ctx, cases); err != nil {
			return err
		}
	}
	if err := r.scenarios(ctx); err != nil {
		return err
	}
	r.progress.done()
	r.sort(append(closed, open...))
	r.Results.Settings = r.Settings
	r.Results.Took = time.Since(r.begun).Seconds()
	return nil
}

// start starts the subjects that have cases: pairdb's one after the other, since their goroutines are counted, the
// peers at once.
func (r *Run) start(ctx context.Context, list []starter, cases []report.Case) error {
	var peersStart sync.WaitGroup
	defer peersStart.Wait()
	errs := make([]error, len(list))
	r.Results.Subjects = make([]report.Subject, 0, len(list))
	for i, s := range list {
		mine := slices.DeleteFunc(slices.Clone(cases), func(c report.Case) bool { return c.Subject != s.Name })
		if len(mine) == 0 {
			continue
		}
		start := func() {
			r.progress.say("starting %s", s.Name)
			started, err := s.start(ctx, r, mine)
			r.mu.Lock()
			defer r.mu.Unlock()
			switch {
			case errors.Is(err, peers.ErrMissing):
				s.Skipped = err.Error()
			case err != nil:
				errs[i] = fmt.Errorf("%s: %w", s.Name, err)
			default:
				r.subjects[s.Name] = started
			}
			r.Results.Subjects = append(r.Results.Subjects, s.Subject)
		}
		if isPairDB(s.Name) {
			start()
		} else {
			peersStart.Go(start)
		}
	}
	peersStart.Wait()
	order := func(a, b report.Subject) int { return position(list, a.Name) - position(list, b.Name) }
	slices.SortFunc(r.Results.Subjects, order)
	return errors.Join(errs...)
}

func position(list []starter, name string) int {
	return slices.IndexFunc(list, func(s starter) bool { return s.Name == name })
}

// Shares of a measurement's time: warming up, measuring; the rest is for the calls to end, and collecting garbage.
const warmShare, measureShare = 0.2, 0.7

// share shortens the measurements if so many cases would not fit into the limit.
func (r *Run) share(cases int) {
	left := r.limit - time.Since(r.begun) - stopTime
	for _, s := range r.chosen() {
		left -= s.Takes
	}
	each := left.Seconds() / float64(max(1, cases*r.Settings.Rounds))
	r.Settings.Seconds = min(r.Settings.Seconds, max(each*measureShare, 0.05))
	r.Settings.Warm = r.Settings.Seconds * warmShare / measureShare
}

// stopTime is what the servers need to end.
const stopTime = 2 * time.Second

func (r *Run) rounds(ctx context.Context, cases []report.Case) error {
	for round := range r.Settings.Rounds {
		for i, c := range shuffled(cases, r.Settings.Seed, round) {
			r.progress.show(i == 0, "round %d of %d, %d of %d: %s", round+1, r.Settings.Rounds, i+1, len(cases), c)
			s, err := r.Measure(ctx, c)
			if ctx.Err() != nil {
				return errInterrupted
			}
			if err != nil {
				r.remark("%s: %v", c, err)
			}
			r.Results.Add(c, s)
		}
	}
	return nil
}

// Measure measures a case once. The error is the first of the calls that failed; the sample counts them.
func (r *Run) Measure(ctx context.Context, c report.Case) (report.Sample, error) {
	s := r.subjects[c.Subject]
	op, keys, err := s.op(c)
	if err != nil {
		return report.Sample{}, err
	}
	window := load.Window{
		Warm: inSeconds(r.Settings.Warm), Length: inSeconds(r.Settings.Seconds), Keys: keys,
		Seed: r.Settings.Seed + uint64(len(r.Results.Measured)), Servers: child.CPUTime,
	}
	per := 1.0
	if c.Workload == report.PutMany || c.Workload == report.GetMany {
		per = batch
	}
	runtime.GC() // so that none pays for the garbage of another
	if c.Percent == 0 {
		found := load.Closed(ctx, op, c.Callers, window)
		return sampleOf(found, per, s.idle(), 0), found.Err
	}
	rate := r.Results.Highest(c.Subject, c.Workload) * float64(c.Percent) / 100
	if rate == 0 {
		return report.Sample{}, errors.New("no closed loop has found the highest throughput")
	}
	found := load.Open(ctx, op, rate, window)
	return sampleOf(found, per, s.idle(), rate), found.Err
}

func sampleOf(r load.Result, per float64, idle int, offered float64) report.Sample {
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	return report.Sample{
		OpsPerSecond: r.PerSecond * per, Offered: offered * per,
		P50: us(r.Latency.P50), P90: us(r.Latency.P90), P99: us(r.Latency.P99), P999: us(r.Latency.P999), P9999: us(r.Latency.P9999), Max: us(r.Latency.Max),
		LateP99: us(r.Late.P99), Errors: float64(r.Errors),
		Allocs: r.Process.Allocs / per, AllocBytes: r.Process.Bytes / per, ClientCPU: us(r.Process.CPU) / per, AllCPU: us(r.Process.AllCPU) / per,
		Goroutines: float64(r.Process.Goroutines + idle),
	}
}

func inSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// chosen lists the scenarios that run.
func (r *Run) chosen() []Scenario {
	return slices.DeleteFunc(scenarios(), func(s Scenario) bool {
		return r.Mode == report.Quick && !s.Quick || !r.only.MatchString(s.Name)
	})
}

// scenarios runs them. One that fails is remarked upon; the others run.
func (r *Run) scenarios(ctx context.Context) error {
	for _, s := range r.chosen() {
		r.progress.show(true, "scenario: %s", s.Name)
		found, err := s.Run(ctx, r)
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			r.remark("%s: %v", s.Name, err)
		}
		r.Results.Figures = append(r.Results.Figures, found.Figures...)
		r.Results.Curves = append(r.Results.Curves, found.Curves...)
	}
	return nil
}

// failed is an error if there is a case of which no call succeeded: its figures are missing, not bad.
func (r *Run) failed() error {
	var failed []error
	for _, m := range r.Results.Measured {
		if m.Median().OpsPerSecond == 0 {
			failed = append(failed, fmt.Errorf("%s: not one call succeeded", m.Case))
		}
	}
	return errors.Join(failed...)
}

// remark keeps a sentence for the report, once.
func (r *Run) remark(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.Results.Remarks, text) {
		r.progress.say("%s", text)
		r.Results.Remarks = append(r.Results.Remarks, text)
	}
}

// sort puts what was measured into the order of the plan.
func (r *Run) sort(cases []report.Case) {
	place := map[report.Case]int{}
	for i, c := range cases {
		place[c] = i
	}
	slices.SortFunc(r.Results.Measured, func(a, b report.Measured) int { return place[a.Case] - place[b.Case] })
}

// valueBytes is the size of a case's values.
func (r *Run) valueBytes(c report.Case) int {
	if c.Bytes > 0 {
		return c.Bytes
	}
	return r.Settings.ValueBytes
}

// sizeKeys bounds the keys, and sizeSpace the bytes, of each size of value that is not the default.
const sizeKeys, sizeSpace = 20_000, 32 << 20

// keysFor is the number of keys with values of that size: enough for the callers, and no more than fit.
func (r *Run) keysFor(bytes int) int {
	n := r.Settings.Keys
	if bytes != r.Settings.ValueBytes {
		n = min(n, sizeKeys)
	}
	return max(2*sizeCallers, min(n, sizeSpace/bytes))
}

// value returns the value of that size, which nobody may change.
func (r *Run) value(bytes int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.values[bytes] == nil {
		r.values[bytes] = newValue(bytes)
	}
	return r.values[bytes]
}
