package node

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// Identity says which node of which cluster a store is for.
type Identity struct {
	Cluster string // 1 to 128 bytes
	Node    string // 1 to 128 bytes
}

// Limits are what a node refuses. A zero field means its default.
type Limits struct {
	MaxValueBytes int           // of one value written by a client; default 1 MiB, at most 16 MiB
	MaxSiblings   int           // of one key, as far as clients' writes go; default 64, at most 1,024
	Skew          time.Duration // how far ahead of the node's clock a client's stamps may be; default 1 min, at most 1 h
	Window        time.Duration // how old a client's write may be; default 10 min, from twice the skew to 24 h
	Retention     time.Duration // how long tombstones are kept at the least; default 48 h
	InHandOps     int           // operations received and not yet answered, of all streams; default 65,536
	InHandBytes   int           // and their bytes; default 256 MiB, at least 64 MiB
}

// Config is what a Core takes besides its engine. The zero value is a node with
// defaults that syncs before it answers.
type Config struct {
	Limits Limits

	// NoSync answers before the engine has synced: an acknowledged write may be lost.
	NoSync bool

	// CacheBytes bounds the states that are kept in memory besides the engine, about; 0 keeps none.
	CacheBytes int

	// Now is the node's wall clock; time.Now by default. It is called by many goroutines.
	Now func() time.Time

	// Elapsed tells how much time has passed since some moment before New, by a
	// clock that never jumps: client writes are refused while Now has moved
	// otherwise (see clock). The monotonic clock by default, or no comparison if Now
	// is given and Elapsed is not.
	Elapsed func() time.Duration

	// Random makes the store id of an empty store; math/rand/v2.Uint64 by default.
	Random func() uint64

	// Log is silent by default.
	Log *slog.Logger

	// Audit is called once for each write of a client, when the node first applied
	// it (never for a repetition, never for what other nodes' states brought): from
	// many goroutines, after the latches were released and before the answer. It
	// keeps key no longer than the call.
	Audit func(tenant string, key []byte, dot vclock.Dot)

	// OnFailure is called once, when the engine has failed for good; it must not block.
	OnFailure func(error)

	// Interceptor injects faults; nil in production. See its type.
	Interceptor Interceptor

	// Software is told to those who ask who the node is.
	Software string
}

const (
	maxNameBytes = 128
	maxValue     = 16 << 20

	// maxStateBytes bounds what one answer carries: room for the largest value,
	// and below the 64 MiB that either side takes in one frame.
	maxStateBytes = 24 << 20

	// maxSentEntries bounds the clock of one client's write: more processes than
	// write one key in its life, since nothing takes entries out of a clock. It is 1 MiB.
	// maxHeldEntries bounds what several such writes may add up to (acknowledgements
	// carry it). States between nodes are exempt.
	maxSentEntries = 1 << 16
	maxHeldEntries = 2 * maxSentEntries
)

func (l Limits) withDefaults() Limits {
	setDefault(&l.MaxValueBytes, 1<<20)
	setDefault(&l.MaxSiblings, 64)
	setDefault(&l.Skew, time.Minute)
	setDefault(&l.Window, 10*time.Minute)
	setDefault(&l.Retention, 48*time.Hour)
	setDefault(&l.InHandOps, 1<<16)
	setDefault(&l.InHandBytes, 256<<20)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (l Limits) validate() error {
	for _, c := range []struct {
		bad  bool
		what string
	}{
		{l.MaxValueBytes < 1 || l.MaxValueBytes > maxValue, "MaxValueBytes is not between 1 and 16 MiB"},
		{l.MaxSiblings < 1 || l.MaxSiblings > 1024, "MaxSiblings is not between 1 and 1,024"},
		{l.Skew < time.Millisecond || l.Skew > time.Hour, "Skew is not between 1 ms and 1 h"},
		{l.Window < 2*l.Skew || l.Window > 24*time.Hour, "Window is not between twice the skew and 24 h"},
		{l.Retention < l.Window, "Retention is less than the window"},
		{l.InHandOps < 1, "InHandOps is less than 1"},
		{l.InHandBytes < 64<<20, "InHandBytes is less than 64 MiB"},
	} {
		if c.bad {
			return fmt.Errorf("%w: Limits.%s", ErrConfig, c.what)
		}
	}
	return nil
}

func (l Limits) proto() *storagepb.Limits {
	return &storagepb.Limits{
		MaxValueBytes: uint32(l.MaxValueBytes),
		MaxSiblings:   uint32(l.MaxSiblings),
		SkewMs:        uint64(l.Skew.Milliseconds()),
		WindowMs:      uint64(l.Window.Milliseconds()),
		RetentionMs:   uint64(l.Retention.Milliseconds()),
	}
}

func (id Identity) validate() error {
	if len(id.Cluster) < 1 || len(id.Cluster) > maxNameBytes {
		return fmt.Errorf("%w: Identity.Cluster is not between 1 and %d bytes", ErrConfig, maxNameBytes)
	}
	if len(id.Node) < 1 || len(id.Node) > maxNameBytes {
		return fmt.Errorf("%w: Identity.Node is not between 1 and %d bytes", ErrConfig, maxNameBytes)
	}
	return nil
}

func (c Config) withDefaults() Config {
	c.Limits = c.Limits.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
		if c.Elapsed == nil {
			start := time.Now()
			c.Elapsed = func() time.Duration { return time.Since(start) }
		}
	}
	if c.Random == nil {
		c.Random = rand.Uint64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	setDefault(&c.Software, "pairdb")
	return c
}
