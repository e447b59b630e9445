package node

// A KV is one key with its value.
type KV struct{ Key, Value []byte }

// A Failing engine can say that it has failed since, in the background, without being asked for anything:
// a node that has a key's state at hand asks it.
type Failing interface {
	// Failed returns what every other call would, or nil. It does not block.
	Failed() error
}

// An Engine keeps a node's bytes. The node calls all methods but Close from many
// goroutines at once, and Close when no other call is running or will come.
//
// Slices belong to who made them and are valid during the call only: an engine
// copies what it keeps, and so does a callback.
//
// An error means that the engine cannot vouch for its data: the node takes it
// as final and stops answering (see ErrFull for the one exception). A method
// that would rather panic, or end the process, must be wrapped by its engine.
//
// Package storagenode/enginetest checks an implementation.
type Engine interface {
	// Get calls use with the value of key, if there is one, and returns use's error.
	Get(key []byte, use func(value []byte) error) (found bool, err error)

	// Apply stores all puts or none, over what was there. Keys are distinct. On
	// return they are seen by every Get and Scan that begins, though perhaps not
	// on disk. After a crash an Apply is found whole or not at all, and not
	// without those that returned before it began.
	Apply(puts []KV) error

	// Sync returns once every Apply that returned before it began is on disk.
	// One goroutine calls it, while others call Apply.
	Sync() error

	// Scan calls use with each key in [from, to) in ascending order; a nil to has
	// no end. It sees every Apply that returned before it began, and may see later
	// ones. It ends at use's first error and returns it.
	Scan(from, to []byte, use func(key, value []byte) error) error

	// Meta returns a copy of what SetMeta stored under name; nil if nothing. Names
	// are a space of their own, apart from keys.
	Meta(name string) ([]byte, error)

	// SetMeta stores value, not empty, under name; it is on disk on return.
	SetMeta(name string, value []byte) error

	// Close releases the engine. What was synced is found at the next opening.
	Close() error
}
