//go:build unix

package faulttest

import (
	"net"
	"sync"
	"time"
)

// A passage is what a link does with the bytes of one direction.
type passage uint8

const (
	open passage = iota
	held         // they wait, and go on when the link is healed: a cut that TCP survives
	lost         // they vanish; the connection breaks when the link is healed
)

// A cut is what ails a link. The zero cut is none.
type cut struct {
	requests, answers passage
	delay             time.Duration // of every chunk, both ways
	refuse            bool          // connections break, and so do those that come
	breakAfter        int           // chunks of requests that pass before the link refuses; 0 is never
}

// A link forwards what one client sends to one node, and the answers.
type link struct {
	listener net.Listener
	target   func() string // where the node listens at the moment; "" is nowhere
	tasks    sync.WaitGroup

	mu      sync.Mutex
	cut     cut           // guarded by mu, as all below
	changed chan struct{} // closed when cut changes
	wires   map[*wire]bool
	closed  bool
}

// A wire is one connection through a link.
type wire struct {
	link         *link
	client, node net.Conn
	once         sync.Once
	broken       chan struct{}
	lossy        bool // bytes of it vanished; guarded by link.mu
}

func newLink(target func() string) (*link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{listener: listener, target: target, changed: make(chan struct{}), wires: map[*wire]bool{}}
	l.tasks.Go(l.accept)
	return l, nil
}

func (l *link) addr() string { return l.listener.Addr().String() }

// set puts c in force. What was held goes on if c lets it; what was lost breaks its connection, unless
// c goes on losing.
func (l *link) set(c cut) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(c)
}

// put needs mu.
func (l *link) put(c cut) {
	l.cut = c
	close(l.changed)
	l.changed = make(chan struct{})
	for w := range l.wires {
		if c.refuse || w.lossy && c.requests != lost && c.answers != lost {
			w.hangUp()
		}
	}
}

// close ends the link and joins its goroutines.
func (l *link) close() {
	_ = l.listener.Close()
	l.mu.Lock()
	l.closed = true
	for w := range l.wires {
		w.hangUp()
	}
	l.mu.Unlock()
	l.tasks.Wait()
}

func (l *link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.tasks.Go(func() { l.connect(client) })
	}
}

func (l *link) connect(client net.Conn) {
	defer client.Close()
	addr := l.target()
	if addr == "" {
		return
	}
	node, err := net.DialTimeout("tcp", addr, 2*time.Second)
	if err != nil {
		return
	}
	defer node.Close()
	w := &wire{link: l, client: client, node: node, broken: make(chan struct{})}
	l.mu.Lock()
	if l.closed || l.cut.refuse {
		l.mu.Unlock()
		return
	}
	l.wires[w] = true
	l.mu.Unlock()

	var answers sync.WaitGroup
	answers.Go(func() { w.pump(node, client, false) })
	w.pump(client, node, true)
	answers.Wait()

	l.mu.Lock()
	delete(l.wires, w)
	l.mu.Unlock()
}

// hangUp breaks the connection both ways.
func (w *wire) hangUp() {
	w.once.Do(func() {
		close(w.broken)
		_ = w.client.Close()
		_ = w.node.Close()
	})
}

func (w *wire) pump(from, to net.Conn, requests bool) {
	defer w.hangUp()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && w.admit(requests) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
			if requests {
				w.link.passed()
			}
		}
		if err != nil {
			return
		}
	}
}

// admit reports whether a chunk goes on, and holds it back for as long as the cut says.
func (w *wire) admit(requests bool) bool {
	for delayed := false; ; {
		how, delay, changed := w.ails(requests)
		switch {
		case how == lost:
			return false
		case how == open && (delay == 0 || delayed):
			return true
		case how == open:
			delayed = true
		default:
			delay = 0 // for as long as it takes
		}
		if !w.wait(delay, changed) {
			return false
		}
	}
}

// ails returns the cut as it is for one direction, and what is closed when it changes.
func (w *wire) ails(requests bool) (how passage, delay time.Duration, changed <-chan struct{}) {
	l := w.link
	l.mu.Lock()
	defer l.mu.Unlock()
	how = l.cut.answers
	if requests {
		how = l.cut.requests
	}
	if how == lost {
		w.lossy = true
	}
	return how, l.cut.delay, l.changed
}

// wait ends after delay, unless that is 0, or with a change; it reports false if the connection broke.
func (w *wire) wait(delay time.Duration, changed <-chan struct{}) bool {
	var late <-chan time.Time
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-late:
	case <-changed:
	case <-w.broken:
		return false
	}
	return true
}

// passed counts a chunk of requests that is on its way to the node.
func (l *link) passed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut.breakAfter == 0 {
		return
	}
	l.cut.breakAfter--
	if l.cut.breakAfter == 0 {
		l.put(cut{refuse: true})
	}
}
