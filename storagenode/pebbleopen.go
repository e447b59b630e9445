package storagenode

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// format is the format of stores. It is pinned, since Pebble raises a store to it for
// good: with its newest one, an update of Pebble would keep the program before it
// from opening the store again. It has to be FormatWALSyncChunks at least (verify.go).
const format = pebble.FormatValueSeparation

// mostOpenFiles bounds Pebble's open tables: enough for a store of 100 GiB and more.
const mostOpenFiles = 4096

// Pebble caches blocks with a part of what the node has for the states of keys (CacheSize): a state at hand takes a tenth of
// the time and a fraction of the memory of the block that it is in. What the blocks need room for are indexes and filters, about a
// hundredth of the store.
//
// Pebble counts its memory tables against the cache's size, the one that is written, those on their way to the disk and one
// kept for the next turn, and caches nothing at all where they leave no room. So they have room of their own.
const (
	blockPart   = 4
	leastBlocks = 1 << 20
	memTable    = 32 << 20
	memTables   = 3 // at once, unless the disk cannot keep up
)

type pebbleConfig struct {
	dir     string
	fs      vfs.FS
	cache   int64 // of states
	reserve uint64
	log     *slog.Logger
	slow    time.Duration // an operation on the disk that takes longer is logged
}

// openPebble opens or makes the store in a directory.
func openPebble(c pebbleConfig) (_ *pebbleEngine, err error) {
	e := &pebbleEngine{space: newSpace(c.fs, c.dir, c.reserve, c.log), log: c.log}
	// Pebble watches only a file system that it chose itself.
	watched, health := vfs.WithDiskHealthChecks(c.fs, c.slow, nil, func(slow vfs.DiskSlowInfo) {
		e.log.Warn("the disk is slow: merges wait for it", "operation", slow.OpType.String(), "file", slow.Path, "for", slow.Duration)
	})
	e.health = health
	e.fs = &freezingFS{FS: aheadFS{watched}, onFailure: e.closeAfter}
	defer func() {
		if err != nil {
			err = errors.Join(err, health.Close())
		}
	}()
	home := storeDir{fs: e.fs, path: c.dir}
	made, err := home.prepare()
	if err = errors.Join(e.fs.failed(), err); err != nil {
		return nil, fmt.Errorf("make the store in %s: %w", c.dir, err)
	}
	lock, err := pebble.LockDirectory(home.data(), e.fs)
	if err != nil {
		return nil, lockError(c.dir, err)
	}
	db, cutShort, err := e.open(home.data(), made, lock, c.cache)
	if err == nil && (!made || cutShort) {
		// Pebble begins the log of a store that it makes in an old format, which has
		// no proof of damage (verify.go). The log of a second opening has it. So has the manifest of one after an
		// opening that was cut short.
		if err = db.Close(); err == nil {
			db, _, err = e.open(home.data(), true, lock, c.cache)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store in %s: %w", c.dir, err), lock.Close())
	}
	e.mu.Lock()
	e.db = db
	e.mu.Unlock()
	if err := lock.Close(); err != nil { // the database holds its own reference
		return nil, joinNew(err, e.Close())
	}
	if !made {
		err = home.mark()
	}
	if err = errors.Join(err, e.fs.failed()); err != nil {
		return nil, joinNew(fmt.Errorf("open the store in %s: %w", c.dir, err), e.Close())
	}
	e.space.look()
	e.log.Info("the store is open", "dir", c.dir, "open_files_at_most", openFiles())
	return e, nil
}

// lockError tells a store that is in use from one that cannot be locked. For a
// directory that this process holds Pebble has an error without a type.
func lockError(dir string, err error) error {
	var number syscall.Errno
	if errors.As(err, &number) && number != syscall.EAGAIN && number != syscall.EWOULDBLOCK {
		return fmt.Errorf("lock the store in %s: %w", dir, err)
	}
	return fmt.Errorf("%w: %s is open in this or another process: %w", ErrLocked, dir, err)
}

// open turns whatever Pebble makes of a damaged directory into an error.
func (e *pebbleEngine) open(dir string, exists bool, lock *pebble.Lock, cache int64) (db *pebble.DB, cutShort bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("%w: %v", ErrDamaged, r)
		}
		// What went wrong first explains what went wrong then.
		if failure := e.fs.failed(); failure != nil {
			if db != nil {
				err = errors.Join(err, db.Close())
			}
			db, err = nil, errors.Join(failure, err)
		}
	}()
	// Most keys begin with a hash, so that every flush overlaps all that the level below has. The fewer levels there are, and
	// the more flushes are compacted at once, the less is written: with Pebble's own 64 MiB in the first level and compactions of
	// two flushes a store that grew to two million keys wrote half as much again, at a tenth more of the processor.
	options := &pebble.Options{
		FS: e.fs, Lock: lock, ErrorIfNotExists: exists,
		FormatMajorVersion:          format,
		CacheSize:                   max(cache/blockPart, leastBlocks) + memTables*memTable,
		MemTableSize:                memTable,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       1000, // a stall here would stall every latch; memory bounds it before
		LBaseMaxBytes:               256 << 20,
		MaxOpenFiles:                openFiles(),
		Logger:                      pebbleLog{e},
		EventListener:               e.listener(),
		MemTableStopWritesThreshold: 4,
	}
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most first writes of a key ask for what is not there
	}
	if cutShort, err = verifyStore(e.fs, dir, exists); err != nil {
		return nil, false, err
	}
	db, err = pebble.Open(dir, options)
	if err != nil && (pebble.IsCorruptionError(err) || errors.Is(err, pebble.ErrDBDoesNotExist) || errors.Is(err, fs.ErrNotExist)) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return db, cutShort, err
}

func (e *pebbleEngine) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { e.fs.freeze(fmt.Errorf("background work: %w", err)) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			e.fs.freeze(fmt.Errorf("%w: %s", ErrDamaged, info))
		},
	}
}
