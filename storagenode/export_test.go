package storagenode

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/devrev/pairdb/internal/wire"
)

// OpenPebble opens the engine alone.
func OpenPebble(dir string) (Engine, error) {
	o := defaults()
	return o.open(dir)
}

// OpenPebbleOn opens the engine alone on a file system, and logs what is slow.
func OpenPebbleOn(fs vfs.FS, log *slog.Logger, slow time.Duration) (Engine, error) {
	return openPebble(pebbleConfig{dir: "store", fs: fs, cache: defaultCache, log: log, slow: slow})
}

// PebbleFails lets Pebble's messages be errors that know their stack.
func PebbleFails(n *Node) {
	e := n.engine.(*pebbleEngine)
	_, err := pebble.Open("nowhere", &pebble.Options{FS: vfs.NewMem(), ErrorIfNotExists: true, Logger: pebbleLog{e}})
	pebbleLog{e}.Infof("%+v", err)
	pebbleLog{e}.Errorf("%+v", err)
	e.fs.freeze(err)
}

// Do runs one operation without a stream.
func Do(n *Node, op *wire.Operation) *wire.Answer { return n.core.Do(op) }

// Flush moves what is in the log to tables.
func Flush(n *Node) error {
	return n.engine.(*pebbleEngine).call(func(db *pebble.DB) error { return db.Flush() })
}

// LookAtTheDisk asks how much of it is free, without waiting for the next time.
func LookAtTheDisk(n *Node) { n.engine.(*pebbleEngine).space.look() }
