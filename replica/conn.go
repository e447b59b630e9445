package replica

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
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

	// MaxInFlight and MaxInFlightBytes bound what is queued for the streams or handed
	// to them, unanswered. What comes on top waits (foreground) or is refused
	// (Op.Background). The bytes are shared equally by small and bulk operations. 0
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

// A Conn is the connection to one node. All methods may be called from any number of
// goroutines.
type Conn struct{ cfg Config }

// New returns a Conn and starts connecting in the background. The caller has to Close it.
func New(cfg Config) *Conn { return &Conn{cfg: cfg} }

// Send takes op, to be handed to the node, and never blocks. If it returns nil, the
// outcome goes to op.Handler, exactly once, later and from another goroutine. If it returns an error, op was
// not taken, nothing was sent and the handler is not called: ErrDown (with the cause), ErrClosed, or
// ErrOverloaded for a background operation.
func (c *Conn) Send(op *Op) error { return errors.Join(ErrDown) }

// Withdraw takes op back. True: it was not handed to the stream and never will be,
// and the handler is not called. False: it was handed over, or the handler was or
// is being called, or op is not in this Conn.
func (c *Conn) Withdraw(op *Op) bool { return false }

// Health returns what is known of the node. It takes no lock.
func (c *Conn) Health() Health { return Health{} }

// SetEpoch sets the epoch for operations sent from here on that bring none of their own, and for handshakes.
func (c *Conn) SetEpoch(epoch uint64) {}

// AcceptStore declares id to be the store that the node is known to have. 0 changes nothing.
func (c *Conn) AcceptStore(id uint64) {}

// Close refuses new operations, waits until those in hand are answered or ctx ends, then cuts
// the connection: what is left completes with ErrClosed. It returns when every
// goroutine of the Conn has ended, with ctx's error if anything was cut. Later and concurrent calls
// wait for the first and return nil.
func (c *Conn) Close(ctx context.Context) error { return nil }

type lane struct{}
