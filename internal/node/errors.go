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

	// ErrConfig is wrapped by New for a setting that is out of bounds; the text names it.
	ErrConfig = errors.New("bad configuration")
)
