package storagenode

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/devrev/pairdb/storagepb"
)

// OpenPebble opens the engine alone.
func OpenPebble(dir string) (Engine, error) {
	o := defaults()
	return o.open(dir)
}

// Do runs one operation without a stream.
func Do(n *Node, op *storagepb.Operation) *storagepb.Answer { return n.core.Do(op) }

// Flush moves what is in the log to tables.
func Flush(n *Node) error {
	return n.engine.(*pebbleEngine).call(func(db *pebble.DB) error { return db.Flush() })
}

// LookAtTheDisk asks how much of it is free, without waiting for the next time.
func LookAtTheDisk(n *Node) { n.engine.(*pebbleEngine).space.look() }
