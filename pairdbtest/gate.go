package pairdbtest

import "sync"

// A gate is open or shut; who comes to a shut one waits. The zero gate is open.
//
// Waiting is a receive from a channel, never a lock that is held: in a bubble of
// testing/synctest time goes on meanwhile.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // guarded by mu; nil when open, closed at opening
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil {
		g.shut = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
}

// barrier returns a channel that is closed when the gate opens; nil if it is open.
func (g *gate) barrier() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}

// pass waits until the gate is open. It returns false if stop came first.
func (g *gate) pass(stop ...<-chan struct{}) bool {
	var first, second <-chan struct{}
	switch len(stop) {
	case 2:
		second = stop[1]
		fallthrough
	case 1:
		first = stop[0]
	}
	for barrier := g.barrier(); barrier != nil; barrier = g.barrier() {
		select {
		case <-barrier:
		case <-first:
			return false
		case <-second:
			return false
		}
	}
	return true
}
