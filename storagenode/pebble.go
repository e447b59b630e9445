package storagenode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Keys and meta names are two spaces of one Pebble store.
const (
	metaPrefix = 0x00
	dataPrefix = 0x01
)

// maxApplyBytes bounds one Apply: Pebble panics, its locks held, when a batch comes
// near 4 GiB. Nodes stay far below it (Limits.InHandBytes).
const maxApplyBytes = 1 << 30

// pebbleEngine is the Engine on disk. Applies go to Pebble's log unsynced; Sync
// writes one empty synced record, which brings all earlier records to disk: a log
// is written in order, and synced before the next one is begun.
type pebbleEngine struct {
	fs    *freezingFS
	space *space
	log   *slog.Logger

	mu     sync.RWMutex // read-held by every call into db, so that it is closed under none
	db     *pebble.DB
	closed bool

	closing sync.WaitGroup // the goroutine that closes db after a failure
	health  io.Closer      // ends the watch over slow operations
}

type pebbleConfig struct {
	dir     string
	fs      vfs.FS
	cache   int64
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
	e.fs = &freezingFS{FS: watched, onFailure: e.closeAfter}
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
		return nil, fmt.Errorf("%w: %s is open in another process: %w", ErrLocked, c.dir, err)
	}
	db, err := e.open(home.data(), made, lock, c.cache)
	if err == nil && !made {
		// Pebble begins the log of a store that it makes in an old format, which has
		// no proof of damage (verify.go). The log of a second opening has it.
		if err = db.Close(); err == nil {
			db, err = e.open(home.data(), true, lock, c.cache)
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
	return e, nil
}

// open turns whatever Pebble makes of a damaged directory into an error.
func (e *pebbleEngine) open(dir string, exists bool, lock *pebble.Lock, cache int64) (db *pebble.DB, err error) {
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
	options := &pebble.Options{
		FS: e.fs, Lock: lock, ErrorIfNotExists: exists,
		FormatMajorVersion:          pebble.FormatNewest,
		CacheSize:                   cache,
		MemTableSize:                32 << 20,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       1000, // a stall here would stall every latch; memory bounds it before
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                4096,
		Logger:                      pebbleLog{e},
		EventListener:               e.listener(),
		MemTableStopWritesThreshold: 4,
	}
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most first writes of a key ask for what is not there
	}
	if err := verifyStore(e.fs, dir, exists); err != nil {
		return nil, err
	}
	db, err = pebble.Open(dir, options)
	if err != nil && (pebble.IsCorruptionError(err) || errors.Is(err, pebble.ErrDBDoesNotExist) || errors.Is(err, fs.ErrNotExist)) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return db, err
}

func (e *pebbleEngine) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) { e.fs.freeze(fmt.Errorf("background work: %w", err)) },
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			e.fs.freeze(fmt.Errorf("%w: %s", ErrDamaged, info))
		},
	}
}

// call runs an operation on an open, healthy store. A failure on the way makes
// its outcome worthless.
func (e *pebbleEngine) call(operation func(db *pebble.DB) error) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if err := e.fs.failed(); err != nil {
		return err
	}
	if err := operation(e.db); err != nil {
		if pebble.IsCorruptionError(err) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		e.fs.freeze(err)
		return err
	}
	return e.fs.failed()
}

// closeAfter closes Pebble soon after a failure, so that its background work
// does not go on on a frozen disk.
func (e *pebbleEngine) closeAfter(err error) {
	e.log.Error("the store takes no more writes", "error", err.Error())
	e.closing.Go(func() { _ = e.shut() })
}

func (e *pebbleEngine) shut() (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.db == nil {
		return nil
	}
	e.closed = true
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("close the store: %v", r)
		}
	}()
	return e.db.Close()
}

// Close implements Engine. It returns what ended the store's work before, too.
func (e *pebbleEngine) Close() error {
	// What is in tables needs no reading of logs at the next start.
	_ = e.call(func(db *pebble.DB) error { return db.Flush() })
	err := e.shut()
	e.closing.Wait()
	err = errors.Join(err, e.health.Close())
	if failure := e.fs.failed(); failure != nil {
		return failure
	}
	return err
}

// Get implements Engine.
func (e *pebbleEngine) Get(key []byte, use func(value []byte) error) (found bool, err error) {
	var space [1280]byte
	var used error
	err = e.call(func(db *pebble.DB) error {
		value, closer, err := db.Get(append(append(space[:0], dataPrefix), key...))
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		used = use(value)
		return closer.Close()
	})
	return found, errors.Join(err, used)
}

// Apply implements Engine.
func (e *pebbleEngine) Apply(puts []KV) error {
	size := 0
	for _, put := range puts {
		size += len(put.Key) + len(put.Value)
	}
	if size > maxApplyBytes {
		return fmt.Errorf("an apply of %d keys has %d MiB; at most %d are taken", len(puts), size>>20, maxApplyBytes>>20)
	}
	if err := e.space.check(size); err != nil {
		return err
	}
	return e.call(func(db *pebble.DB) error {
		batch := db.NewBatchWithSize(size + 32*len(puts) + 16)
		for _, put := range puts {
			op := batch.SetDeferred(1+len(put.Key), len(put.Value))
			op.Key[0] = dataPrefix
			copy(op.Key[1:], put.Key)
			copy(op.Value, put.Value)
			if err := op.Finish(); err != nil {
				return errors.Join(err, batch.Close())
			}
		}
		if err := batch.Commit(pebble.NoSync); err != nil {
			return errors.Join(err, batch.Close())
		}
		return batch.Close()
	})
}

// Sync implements Engine.
func (e *pebbleEngine) Sync() error {
	return e.call(func(db *pebble.DB) error { return db.LogData(nil, pebble.Sync) })
}

// Scan implements Engine.
func (e *pebbleEngine) Scan(from, to []byte, use func(key, value []byte) error) error {
	bounds := &pebble.IterOptions{LowerBound: append([]byte{dataPrefix}, from...), UpperBound: []byte{dataPrefix + 1}}
	if to != nil {
		bounds.UpperBound = append([]byte{dataPrefix}, to...)
	}
	var used error
	err := e.call(func(db *pebble.DB) error {
		it, err := db.NewIter(bounds)
		if err != nil {
			return err
		}
		for ok := it.First(); ok && used == nil; ok = it.Next() {
			value, err := it.ValueAndErr()
			if err != nil {
				return errors.Join(err, it.Close())
			}
			used = use(it.Key()[1:], value)
		}
		return it.Close()
	})
	return errors.Join(err, used)
}

// Meta implements Engine.
func (e *pebbleEngine) Meta(name string) (value []byte, err error) {
	err = e.call(func(db *pebble.DB) error {
		stored, closer, err := db.Get(metaKey(name))
		if errors.Is(err, pebble.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		value = bytes.Clone(stored)
		return closer.Close()
	})
	return value, err
}

// SetMeta implements Engine.
func (e *pebbleEngine) SetMeta(name string, value []byte) error {
	return e.call(func(db *pebble.DB) error { return db.Set(metaKey(name), value, pebble.Sync) })
}

func metaKey(name string) []byte { return append([]byte{metaPrefix}, name...) }

// pebbleLog hands Pebble's own messages on.
type pebbleLog struct{ e *pebbleEngine }

func (l pebbleLog) Infof(format string, args ...any) {
	l.e.log.Debug(fmt.Sprintf(format, plain(args)...))
}

func (l pebbleLog) Errorf(format string, args ...any) {
	l.e.log.Warn(fmt.Sprintf(format, plain(args)...))
}

// Fatalf is where Pebble expects the process to end. The frozen disk is as good:
// nothing that follows is written, or believed.
func (l pebbleLog) Fatalf(format string, args ...any) {
	l.e.fs.freeze(fmt.Errorf(format, plain(args)...))
}

// plain wraps the errors among args: Pebble's own print their stacks with %+v,
// which is also what a text log does with them.
func plain(args []any) []any {
	wrapped := slices.Clone(args)
	for i, arg := range wrapped {
		if err, ok := arg.(error); ok {
			wrapped[i] = fmt.Errorf("%w", err)
		}
	}
	return wrapped
}
