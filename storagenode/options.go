package storagenode

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/devrev/pairdb/internal/node"
	"github.com/devrev/pairdb/vclock"
)

// Identity says which node of which cluster a store is for. Both names have 1 to
// 128 bytes; the store remembers them.
type Identity = node.Identity

// Limits are what a node refuses. A zero field means its default.
type Limits = node.Limits

// An Option is one setting of Open.
type Option interface{ apply(*options) }

type options struct {
	memory  bool
	engine  Engine
	fs      vfs.FS
	cache   int64
	reserve uint64
	tls     *tls.Config
	clear   bool // no TLS
	core    node.Config
}

const (
	defaultCache   = 256 << 20
	defaultReserve = 256 << 20
)

func defaults() options {
	return options{
		fs: vfs.Default, cache: defaultCache, reserve: defaultReserve, clear: true,
		core: node.Config{Log: slog.New(slog.DiscardHandler), Software: "pairdb-storagenode"},
	}
}

func (o *options) validate(dir string) error {
	stored := !o.memory && o.engine == nil
	switch {
	case stored && dir == "":
		return fmt.Errorf("%w: dir is empty; name a directory, or use Memory", ErrConfig)
	case !stored && dir != "":
		return fmt.Errorf("%w: dir is %q, but Memory and WithEngine use none", ErrConfig, dir)
	case o.memory && o.engine != nil:
		return fmt.Errorf("%w: Memory and WithEngine exclude each other", ErrConfig)
	case o.fs == nil:
		return fmt.Errorf("%w: WithFS: nil", ErrConfig)
	case !o.clear && o.tls == nil:
		return fmt.Errorf("%w: WithTLS: nil; leave the option out to serve in the clear", ErrConfig)
	case o.core.Log == nil:
		return fmt.Errorf("%w: WithLogger: nil", ErrConfig)
	case o.cache < 1<<20:
		return fmt.Errorf("%w: CacheSize is less than 1 MiB", ErrConfig)
	}
	return nil
}

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

// Memory keeps everything in memory: the process's end loses it, and the next
// start has another store id. The node says of itself that it does not sync.
func Memory() Option {
	return optionFunc(func(o *options) { o.memory, o.core.NoSync = true, true })
}

// NoSync acknowledges merges before they are on disk. A crash of the machine
// loses what was acknowledged in the last moments, and nobody notices; a crash of
// the process alone loses little or nothing. By default the node syncs.
func NoSync() Option { return optionFunc(func(o *options) { o.core.NoSync = true }) }

// WithEngine keeps the data in e instead of Pebble. Close closes it. The node tells
// coordinators that what it acknowledges is on disk: give NoSync as well if e.Sync
// does not bring it there, as that of NewMemory.
func WithEngine(e Engine) Option { return optionFunc(func(o *options) { o.engine = e }) }

// WithLimits replaces the limits whose fields are not zero.
func WithLimits(l Limits) Option { return optionFunc(func(o *options) { o.core.Limits = l }) }

// WithAudit calls audit once for each write of a client when the node first
// applied it, from many goroutines; it keeps key no longer than the call. The
// write waits for it. The call comes before the sync: after a crash it may have
// told of a write that is not on disk, and tells of it again when it is repeated.
func WithAudit(audit func(tenant string, key []byte, dot vclock.Dot)) Option {
	return optionFunc(func(o *options) { o.core.Audit = audit })
}

// WithLogger sets where the node logs. By default it is silent.
func WithLogger(l *slog.Logger) Option { return optionFunc(func(o *options) { o.core.Log = l }) }

// WithTLS serves with TLS; c must not be nil. By default connections are in the clear.
func WithTLS(c *tls.Config) Option {
	return optionFunc(func(o *options) { o.tls, o.clear = c, false })
}

// WithNow sets the node's wall clock; time.Now by default.
func WithNow(now func() time.Time) Option { return optionFunc(func(o *options) { o.core.Now = now }) }

// WithFS keeps the store in another file system than the machine's, for tests of
// crashes and of broken disks.
func WithFS(fs vfs.FS) Option { return optionFunc(func(o *options) { o.fs = fs }) }

// CacheSize bounds, in bytes, the memory that keeps the states of keys which were in use lately, so that they are not
// looked for on the disk, and a quarter as much again for the disk's blocks; 256 MiB by default, at least 1 MiB. Beside them, the
// writes that are in no table yet take some 100 MiB. A state takes its
// values, some 80 bytes, its key and its tenant's name: by default those of a million keys with 100 bytes each have room. The memory is
// taken as it is needed. Go's collector lets garbage grow to as much as what is in use, unless GOMEMLIMIT or GOGC say otherwise.
func CacheSize(bytes int64) Option { return optionFunc(func(o *options) { o.cache = bytes }) }

// Reserve sets how many bytes must be free on the disk for the node to take
// merges; 256 MiB by default, 0 for no such check. What is refused may still be
// followed by up to about 150 MiB that earlier merges cause (logs are allocated
// ahead, 35 MiB each, and memory is written to tables), for each of the nodes that
// share a disk: give each of them the sum.
func Reserve(bytes uint64) Option { return optionFunc(func(o *options) { o.reserve = bytes }) }
