package peers

import (
	"context"
	"io"
)

// A Store is a running peer. Its methods may be called by any number of goroutines at
// once. Keys are 1 to 1,024 bytes, values up to 1 MiB.
type Store interface {
	// Put stores the value, and returns when as many servers have it as the peer waits for. An error
	// may mean that it was stored all the same.
	Put(ctx context.Context, key string, value []byte) error

	// Get returns what was put last, or ErrNotFound.
	Get(ctx context.Context, key string) ([]byte, error)
}

// A Peer is one store to compare with.
type Peer struct {
	Name  string // as in the tables
	About string // one line for the reader of a table: what a Put and a Get of it promise

	// Start runs the servers and connects to them. The context bounds the start alone. The stop function
	// that it returns ends everything; no request may be under way by then. An error is ErrMissing
	// if a program that the peer needs is not installed.
	Start func(ctx context.Context, env Env) (store Store, stop func(), err error)
}

// Env is what a peer is given to run in.
type Env struct {
	Dir string    // for files; what a peer makes there its stop removes
	Log io.Writer // what the servers say, rarely anything; nil discards it
}

// Each peer has three servers, and waits for two of them.
const (
	servers = 3
	needed  = 2
)

// All lists the peers, the fastest first.
func All() []Peer {
	return []Peer{
		floorTCP(),
		floorTCPPlain(),
		floorGRPC(),
		unaryFanOut(),
		redisReplicated("everysec", "to disk within a second or so"),
		redisReplicated("always", "primary and replica sync to disk before they answer"),
		etcdMembers(),
	}
}
