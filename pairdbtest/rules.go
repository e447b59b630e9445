package pairdbtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// A rule is a fault that waits for its operation.
type rule struct {
	left   int // operations until it strikes, that one included
	when   When
	writes bool // counts clients' writes alone
	breaks bool // the connections break
	status storagepb.Status
	hold   *Hold
}

// faults is what a node's operations pass (node.Interceptor).
type faults struct {
	breakConns func()
	frozen     *gate

	mu      sync.Mutex // guards what follows
	delay   time.Duration
	changed chan struct{} // of delay; closed at the next change
	skew    time.Duration
	rules   []rule
}

// Before implements node.Interceptor.
func (f *faults) Before(ctx context.Context, op *wire.Operation) node.Fault {
	if !f.frozen.pass(ctx.Done()) || ctx.Err() != nil {
		return node.Fault{Drop: true}
	}
	return f.strike(ctx, op, BeforeApply)
}

// After implements node.Interceptor.
func (f *faults) After(ctx context.Context, op *wire.Operation, answer *wire.Answer) node.Fault {
	if answer.Status == storagepb.Status_OK {
		if fault := f.strike(ctx, op, AfterApply); fault != (node.Fault{}) {
			return fault
		}
	}
	if !f.wait(ctx) || !f.frozen.pass(ctx.Done()) {
		return node.Fault{Drop: true}
	}
	return node.Fault{}
}

// strike counts op, waits where a rule holds it up, and returns the fault of the
// first rule whose turn it is.
func (f *faults) strike(ctx context.Context, op *wire.Operation, when When) (fault node.Fault) {
	for _, r := range f.due(op, when) {
		switch {
		case r.hold != nil:
			if !r.hold.pass(ctx) {
				return node.Fault{Drop: true}
			}
			continue
		case r.breaks:
			f.breakConns()
		}
		if fault != (node.Fault{}) {
			continue
		}
		fault = node.Fault{Drop: true}
		if r.status != 0 {
			fault = node.Fault{Status: r.status, Detail: "as the test asked"}
		}
	}
	return fault
}

// due counts op, and takes out the rules whose turn it is.
func (f *faults) due(op *wire.Operation, when When) (due []rule) {
	write := op.Kind == storagepb.Kind_MERGE && op.Origin == storagepb.Origin_CLIENT
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = slices.DeleteFunc(f.rules, func(r rule) bool { return r.left <= 0 && (r.hold == nil || r.hold.over()) })
	for i := range f.rules {
		r := &f.rules[i]
		if r.left <= 0 || r.when != when || r.writes && !write {
			continue
		}
		if r.left--; r.left <= 0 {
			due = append(due, *r)
		}
	}
	return due
}

// wait sits out the delay, as it is when it ends. False: ctx ended first.
func (f *faults) wait(ctx context.Context) bool {
	began := time.Now()
	for {
		f.mu.Lock()
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		left, changed := f.delay-time.Since(began), f.changed
		f.mu.Unlock()
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return false
		}
	}
}

func (f *faults) add(r rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, r)
}

// forget drops the rules whose turn has not come, and releases what is held up.
func (f *faults) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.hold != nil {
			r.hold.Release()
		}
	}
	f.rules = nil
}

func (f *faults) setDelay(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.delay = d
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

func (f *faults) setSkew(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.skew = d
}

func (f *faults) skewed() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.skew
}
