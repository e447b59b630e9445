package pairdbtest

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/devrev/pairdb/internal/memnet"
)

// A network is all that lies between a node and its clients.
type network struct {
	toNode, fromNode gate // shut while cut
	frozen           gate // shut while the node's process is frozen

	mu       sync.Mutex // guards what follows
	listener *listener  // the latest
	conns    map[*conn]bool
}

// socketBytes is what either direction of a connection holds before the writer
// waits: a socket's buffers.
const socketBytes = 1 << 20

// A listener hands the node its ends of connections.
type listener struct {
	*memnet.Listener
	network *network
	dead    bool // guarded by network.mu
}

// listen makes the node reachable until the listener is closed.
func (w *network) listen() *listener {
	l := &listener{Listener: memnet.Listen(socketBytes), network: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listener = l
	return l
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	w := l.network
	// What is on the way stays in the buffers, where what comes next queues behind it.
	return l.add(raw, []*gate{&w.toNode, &w.frozen}, []*gate{&w.frozen}), nil
}

// Close implements net.Listener. What is accepted at this moment is cut.
func (l *listener) Close() error {
	l.network.mu.Lock()
	l.dead = true
	l.network.mu.Unlock()
	return l.Listener.Close()
}

// dial returns a client's end. The handshake of a connection needs both directions.
func (n *Node) dial(ctx context.Context) (net.Conn, error) {
	w := &n.network
	for _, g := range []*gate{&w.toNode, &w.fromNode} {
		if !g.pass(ctx.Done()) {
			return nil, fmt.Errorf("dial %s: %w", n.addr, ctx.Err())
		}
	}
	if n.running() == nil {
		return nil, fmt.Errorf("dial %s: %w", n.addr, errRefused)
	}
	w.mu.Lock()
	l := w.listener
	w.mu.Unlock()
	raw, err := l.DialContext(ctx)
	if err != nil {
		if ctx.Err() == nil {
			err = errRefused
		}
		return nil, fmt.Errorf("dial %s: %w", n.addr, err)
	}
	return newConn(raw, []*gate{&w.fromNode}, nil, func(*conn) {}), nil
}

// add keeps one of the node's ends, to be able to break it.
func (l *listener) add(raw net.Conn, reads, writes []*gate) *conn {
	w := l.network
	c := newConn(raw, reads, writes, func(c *conn) {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.conns, c)
	})
	w.mu.Lock()
	if w.conns == nil {
		w.conns = make(map[*conn]bool)
	}
	w.conns[c] = true
	dead := l.dead
	w.mu.Unlock()
	if dead { // breakAll may have come too early to know of it
		_ = c.Close()
	}
	return c
}

// breakAll ends all connections of the node.
func (w *network) breakAll() {
	w.mu.Lock()
	var all []*conn
	for c := range w.conns {
		all = append(all, c)
	}
	w.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}
