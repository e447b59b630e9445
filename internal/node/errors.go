package node

import "errors"

var (
	// ErrFull is wrapped by Engine.Apply when it refused for want of space and
	// promises that nothing was applied and nothing is damaged: reads go on, and
	// writes do once there is space.
	ErrFull = errors.New("disk is full")

	// ErrForeignStore says that the engine's data belongs to another node or
	// another cluster than the one it was opened for.
	ErrForeignStore = errors.New("store belongs to another node")

	// ErrDamaged is wrapped by what the node found on its disk and cannot read.
	ErrDamaged = errors.New("store is damaged")

	// ErrVersion says that a newer program wrote the store, in a form that this one
	// does not know. Nothing is wrong with the store: run that program.
	ErrVersion = errors.New("store was written by a newer program")

	// ErrConfig is wrapped by New for a setting that is out of bounds; the text names it.
	ErrConfig = errors.New("bad configuration")
)
