package peers

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
)

// keepBytes bounds the memory that a connection keeps for its next batch.
const keepBytes = 4 << 20

func floorTCP() Peer {
	return Peer{
		Name: "floor-tcp",
		About: "three echo maps in memory, frames over one TCP connection each, batched; " +
			"sent to all, waits for two; no coordination: the physical limit",
		Start: func(ctx context.Context, env Env) (Store, func(), error) { return startFloorTCP(ctx, env, true) },
	}
}

// floorTCPPlain is what one writes first.
func floorTCPPlain() Peer {
	return Peer{
		Name:  "floor-tcp-plain",
		About: "floor-tcp, but that its client's writers do not yield to the other callers before they take a batch",
		Start: func(ctx context.Context, env Env) (Store, func(), error) { return startFloorTCP(ctx, env, false) },
	}
}

// A tcpFloor is the client of three echo maps.
type tcpFloor struct {
	calls calls
	conns [servers]*tcpConn
	ended sync.WaitGroup
}

// A tcpConn is the connection to one server. Requests are gathered in pending, and leave in
// one write when the one before has returned.
type tcpConn struct {
	net.Conn
	server int
	yields bool

	mu      sync.Mutex // guards what follows
	ready   sync.Cond  // pending has something, or broken is set
	pending []byte
	broken  bool
}

func startFloorTCP(ctx context.Context, env Env, yields bool) (Store, func(), error) {
	addrs, stopServers, err := startProcesses(ctx, env, floorTCPServer, make([][]string, servers)...)
	if err != nil {
		return nil, nil, err
	}
	f := &tcpFloor{}
	for i, addr := range addrs {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err != nil {
			f.close()
			stopServers()
			return nil, nil, fmt.Errorf("peers: start floor-tcp: %w", err)
		}
		c := &tcpConn{Conn: conn, server: i, yields: yields}
		c.ready.L = &c.mu
		f.conns[i] = c
		f.ended.Go(func() { c.write() })
		f.ended.Go(func() { f.read(c) })
	}
	return f, func() { f.close(); stopServers() }, nil
}

func (f *tcpFloor) close() {
	for _, c := range f.conns {
		if c != nil {
			c.Close()
		}
	}
	f.ended.Wait()
}

func (f *tcpFloor) Put(ctx context.Context, key string, value []byte) error {
	_, _, err := f.do(ctx, kindPut, key, value)
	return err
}

func (f *tcpFloor) Get(ctx context.Context, key string) ([]byte, error) {
	value, found, err := f.do(ctx, kindGet, key, nil)
	if err == nil && !found {
		err = ErrNotFound
	}
	return value, err
}

func (f *tcpFloor) do(ctx context.Context, kind byte, key string, value []byte) ([]byte, bool, error) {
	c := f.calls.begin()
	for _, conn := range f.conns {
		if !conn.submit(kind, c.id, key, value) {
			f.calls.fail(conn.server, c)
		}
	}
	return f.calls.wait(ctx, c)
}

// submit puts a request into the next batch. It is false if there will be none.
func (c *tcpConn) submit(kind byte, id uint32, key string, value []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		return false
	}
	if len(c.pending) == 0 {
		c.ready.Signal()
	}
	c.pending = appendRequest(c.pending, kind, id, key, value)
	return true
}

// write sends batches until the connection breaks, which the reader sees too.
func (c *tcpConn) write() {
	var batch []byte
	for {
		batch = c.take(batch)
		if len(batch) == 0 {
			return
		}
		if _, err := c.Write(batch); err != nil {
			c.Close()
			return
		}
		if cap(batch) > keepBytes {
			batch = nil
		}
	}
}

// take waits for requests, and leaves the memory of the batch before for the next ones.
func (c *tcpConn) take(before []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		for len(c.pending) == 0 && !c.broken {
			c.ready.Wait()
		}
		// The caller that woke us is rarely alone: let the others put theirs in. With
		// 256 callers on two cores this doubles the throughput, and costs one caller nothing.
		if c.yields {
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
		}
	}
	if c.broken {
		return nil
	}
	batch := c.pending
	c.pending = before[:0]
	return batch
}

// read hands the answers to their calls until the connection breaks.
func (f *tcpFloor) read(c *tcpConn) {
	in := newFrameReader(c)
	for {
		frame, err := in.next()
		if err != nil {
			break
		}
		id, found, value, err := parseAnswer(frame)
		if err != nil || f.calls.answer(c.server, id, value, found) != nil {
			break
		}
	}
	c.Close()
	c.mu.Lock()
	c.broken = true
	c.ready.Signal()
	c.mu.Unlock()
	f.calls.failAll(c.server)
}
