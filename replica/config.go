package replica

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/devrev/pairdb/topology"
)

// Defaults and bounds of Config.
const (
	// DefaultMaxInFlight keeps several of the largest batches on the way to a node.
	DefaultMaxInFlight = 4096
	// DefaultMaxInFlightBytes holds a few of the largest values (16 MiB) without holding much more.
	DefaultMaxInFlightBytes = 32 << 20
	// DefaultStallAfter is long for an answer, and short for a caller that waits for one.
	DefaultStallAfter = time.Second

	// MaxMaxInFlight is what the ids of operations have room for.
	MaxMaxInFlight = 1 << 19

	// MaxOpBytes bounds one operation, since a node takes frames of 32 MiB: a larger
	// one would break the stream, and everyone's operations with it.
	MaxOpBytes = 32<<20 - 64<<10
)

// A Config says which node to connect to, and how. Cluster, Node and Addr are required;
// the caller has checked them (a topology.Topology that passes Validate will do).
type Config struct {
	Cluster string
	Node    topology.NodeID
	Addr    string // host:port, or whatever Dialer takes

	// Epoch of the topology, told in the handshake and carried by each operation
	// that brings none of its own. See SetEpoch.
	Epoch uint64

	// StoreID is the store that the node is known to have. 0 is the first one that this Conn sees.
	// See AcceptStore.
	StoreID uint64

	// Dialer opens connections to Addr; nil is TCP. It must respect ctx.
	Dialer func(ctx context.Context, addr string) (net.Conn, error)
	// TLS of the connection; nil is plaintext.
	TLS *tls.Config
	// GRPC speaks gRPC alone, for what lets only HTTP/2 pass. Else gRPC is for nodes that
	// do not speak frames (package framed), which is asked of them at each attempt.
	GRPC bool

	// MaxInFlight and MaxInFlightBytes bound what is queued for the streams or handed
	// to them, unanswered. What comes on top waits (foreground; 4,096 of each lane at
	// most) or is refused (Op.Background). Admit lets in an eighth of MaxInFlight where that was
	// exceeded lately. The bytes are shared equally by small and bulk operations. 0
	// is the default; at most MaxMaxInFlight operations.
	MaxInFlight      int
	MaxInFlightBytes int

	// StallAfter sets Health.Stalled. 0 is DefaultStallAfter.
	StallAfter time.Duration

	// OnChange, if not nil, is called with the new Health after each change of State, StoreID or
	// Amnesiac, from one goroutine, without locks. Changes that follow quickly may
	// be told as one. Reconnecting waits for it; it must not call Close.
	OnChange func(Health)

	// Logger is told of state changes. nil is silent.
	Logger *slog.Logger

	// Rand is for jitter. It is called from one goroutine. nil is math/rand/v2.
	Rand func() uint64
}

func (cfg *Config) setDefaults() {
	cfg.MaxInFlight = min(cmp.Or(cfg.MaxInFlight, DefaultMaxInFlight), MaxMaxInFlight)
	cfg.MaxInFlightBytes = cmp.Or(cfg.MaxInFlightBytes, DefaultMaxInFlightBytes)
	cfg.StallAfter = cmp.Or(cfg.StallAfter, DefaultStallAfter)
	if cfg.Dialer == nil {
		cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Uint64
	}
}
