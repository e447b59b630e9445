package pairdbtest

import (
	"context"
	"fmt"
	"sync"
	"time"

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
func (n *Node) FailOp(nth int, when When) { n.add(rule{left: nth, when: when, breaks: true}) }

// FailWrite is FailOp that counts clients' writes alone: Put, Delete and Update.
func (n *Node) FailWrite(nth int, when When) {
	n.add(rule{left: nth, when: when, breaks: true, writes: true})
}

// LoseOp is FailOp with connections that stand: the answer never comes, and the
// client waits for it until its deadline.
func (n *Node) LoseOp(nth int, when When) { n.add(rule{left: nth, when: when}) }

// LoseWrite is LoseOp that counts clients' writes alone.
func (n *Node) LoseWrite(nth int, when When) { n.add(rule{left: nth, when: when, writes: true}) }

// RefuseOp makes the node refuse the n-th operation from this call on with the
// status, before it is applied.
func (n *Node) RefuseOp(nth int, status storagepb.Status) {
	n.add(rule{left: nth, status: status})
}

// RefuseWrite is RefuseOp that counts clients' writes alone.
func (n *Node) RefuseWrite(nth int, status storagepb.Status) {
	n.add(rule{left: nth, status: status, writes: true})
}

// HoldOp holds up the n-th operation from this call on, until it is released: it is
// not applied before then, or its answer does not leave.
func (n *Node) HoldOp(nth int, when When) *Hold { return n.hold(rule{left: nth, when: when}) }

// HoldWrite is HoldOp that counts clients' writes alone.
func (n *Node) HoldWrite(nth int, when When) *Hold {
	return n.hold(rule{left: nth, when: when, writes: true})
}

func (n *Node) hold(r rule) *Hold {
	r.hold = &Hold{reached: make(chan struct{}), released: make(chan struct{})}
	n.add(r)
	return r.hold
}

func (n *Node) add(r rule) {
	if r.left < 1 {
		n.cluster.fail(fmt.Errorf("pairdbtest: %s: operation %d: the next one is 1", n.id, r.left))
		return
	}
	n.faults.add(r)
}

// A Hold is an operation that is held up, or will be.
type Hold struct {
	reached, released chan struct{}
	releasing         sync.Once
}

// Reached is closed when the operation has come.
func (h *Hold) Reached() <-chan struct{} { return h.reached }

// Release lets the operation go on, or pass if it has not come yet. It is idempotent.
func (h *Hold) Release() { h.releasing.Do(func() { close(h.released) }) }

// pass returns false if ctx ended first. It is called once.
func (h *Hold) pass(ctx context.Context) bool {
	close(h.reached)
	select {
	case <-h.released:
		return true
	case <-ctx.Done():
		return false
	}
}

func (h *Hold) over() bool {
	select {
	case <-h.released:
		return true
	default:
		return false
	}
}

// clear undoes every fault but a stop.
func (n *Node) clear() {
	n.Heal()
	n.Thaw()
	n.Delay(0)
	n.Skew(0)
	n.faults.forget()
}
