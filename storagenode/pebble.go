package storagenode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
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

// Failed implements node.Failing.
func (e *pebbleEngine) Failed() error { return e.fs.failed() }

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

// lookup lets a search for a key ask the filters of all levels. Pebble's own Get leaves out those of the last level, where
// most keys are: it reads a block from there for each key that the store does not have, as that of most first writes.
var lookup = pebble.IterOptions{KeyTypes: pebble.IterKeyTypePointsOnly, UseL6Filters: true}

// Get implements Engine.
func (e *pebbleEngine) Get(key []byte, use func(value []byte) error) (found bool, err error) {
	var space [1280]byte
	var used error
	err = e.call(func(db *pebble.DB) error {
		stored := append(append(space[:0], dataPrefix), key...)
		it, err := db.NewIter(&lookup)
		if err != nil {
			return err
		}
		if found = it.SeekPrefixGE(stored) && bytes.Equal(it.Key(), stored); found {
			value, err := it.ValueAndErr()
			if err != nil {
				return errors.Join(err, it.Close())
			}
			used = use(value)
		}
		return it.Close()
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
