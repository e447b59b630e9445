package pairdbtest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/storagepb"
)

// A Direction is one of a node's links, or both.
type Direction uint8

// The directions, seen from the node.
const (
	ToNode   Direction = 1 << iota // requests are held up
	FromNode                       // answers are held up
	Both     = ToNode | FromNode
)

// Cut holds back what is sent in that direction, and connections that are being
// made; those that stand stay open, until a client finds out by itself (a silent
// node is dropped after some 12 s). Nothing is lost: what was sent arrives after Heal if
// its connection still stands. Cuts add up.
func (n *Node) Cut(d Direction) {
	if d&ToNode != 0 {
		n.network.toNode.close()
	}
	if d&FromNode != 0 {
		n.network.fromNode.close()
	}
}

// Heal ends all cuts.
func (n *Node) Heal() {
	n.network.toNode.open()
	n.network.fromNode.open()
}

// Freeze stops the process as SIGSTOP does: it accepts bytes and connections, and
// does and answers nothing, until Thaw; then it goes on where it was.
func (n *Node) Freeze() { n.network.frozen.close() }

// Thaw ends Freeze.
func (n *Node) Thaw() { n.network.frozen.open() }

// Delay makes each operation's answer wait for d, after it was applied. 0 ends
// that, also for answers that wait already.
func (n *Node) Delay(d time.Duration) { n.faults.setDelay(d) }

// Skew puts the node's clock off by d: ahead if positive.
func (n *Node) Skew(d time.Duration) { n.faults.setSkew(d) }

// When says at which moment a fault strikes.
type When uint8

const (
	// BeforeApply: the operation has no effect on the node, and its client cannot know.
	BeforeApply When = iota
	// AfterApply: the operation has had its effect, durably, and the answer is
	// lost. Operations that the node refused do not count.
	AfterApply
)

// FailOp makes the n-th operation from this call on fail, 1 being the next: all of
// the node's connections break instead of an answer, at once. Reads, writes and
// repairs of all clients count. Several calls each count for themselves.
//
// A Put returns when enough owners have acknowledged; the rest goes on in the
// background. Wait for it (synctest.Wait in a bubble) before you count.
func (n *Node) FailOp(nth int, when When) { n.faults.add(rule{left: nth, when: when, breaks: true}) }

// FailWrite is FailOp that counts clients' writes alone: Put, Delete and Update.
func (n *Node) FailWrite(nth int, when When) {
	n.faults.add(rule{left: nth, when: when, breaks: true, writes: true})
}

// LoseOp is FailOp with connections that stand: the answer never comes, and the
// client waits for it until its deadline.
func (n *Node) LoseOp(nth int, when When) { n.faults.add(rule{left: nth, when: when}) }

// LoseWrite is LoseOp that counts clients' writes alone.
func (n *Node) LoseWrite(nth int, when When) { n.faults.add(rule{left: nth, when: when, writes: true}) }

// RefuseOp makes the node refuse the n-th operation from this call on with the
// status, before it is applied.
func (n *Node) RefuseOp(nth int, status storagepb.Status) {
	n.faults.add(rule{left: nth, status: status})
}

// RefuseWrite is RefuseOp that counts clients' writes alone.
func (n *Node) RefuseWrite(nth int, status storagepb.Status) {
	n.faults.add(rule{left: nth, status: status, writes: true})
}

// clear undoes every fault but a stop.
func (n *Node) clear() {
	n.Heal()
	n.Thaw()
	n.Delay(0)
	n.Skew(0)
	n.faults.forget()
}

// A rule is a fault that waits for its operation.
type rule struct {
	left   int // operations until it strikes, that one included
	when   When
	writes bool // counts clients' writes alone
	breaks bool // the connections break
	status storagepb.Status
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
func (f *faults) Before(ctx context.Context, op *storagepb.Operation) node.Fault {
	if !f.frozen.pass(ctx.Done()) || ctx.Err() != nil {
		return node.Fault{Drop: true}
	}
	return f.strike(op, BeforeApply)
}

// After implements node.Interceptor.
func (f *faults) After(ctx context.Context, op *storagepb.Operation, answer *storagepb.Answer) node.Fault {
	if answer.GetStatus() == storagepb.Status_OK {
		if fault := f.strike(op, AfterApply); fault != (node.Fault{}) {
			return fault
		}
	}
	if !f.wait(ctx) || !f.frozen.pass(ctx.Done()) {
		return node.Fault{Drop: true}
	}
	return node.Fault{}
}

// strike counts op, and returns the fault of the first rule whose turn it is.
func (f *faults) strike(op *storagepb.Operation, when When) node.Fault {
	fault, breaks := f.due(op, when)
	if breaks {
		f.breakConns()
	}
	return fault
}

func (f *faults) due(op *storagepb.Operation, when When) (fault node.Fault, breaks bool) {
	write := op.GetKind() == storagepb.Kind_MERGE && op.GetOrigin() == storagepb.Origin_CLIENT
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		r := &f.rules[i]
		if r.when != when || r.writes && !write {
			continue
		}
		if r.left--; r.left > 0 {
			continue
		}
		breaks = breaks || r.breaks
		switch {
		case fault != (node.Fault{}):
		case r.status != 0:
			fault = node.Fault{Status: r.status, Detail: "as the test asked"}
		default:
			fault = node.Fault{Drop: true}
		}
	}
	f.rules = slices.DeleteFunc(f.rules, func(r rule) bool { return r.left <= 0 })
	return fault, breaks
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

func (f *faults) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
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
