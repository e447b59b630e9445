package storagenode

import (
	"errors"

	"github.com/devrev/pairdb/internal/node"
)

var (
	// ErrLocked says that another process, or another Node of this one, has the
	// directory open.
	ErrLocked = errors.New("store is in use")

	// ErrForeignStore says that the directory holds the data of another node or cluster.
	ErrForeignStore = node.ErrForeignStore

	// ErrDamaged says that what is on the disk cannot be read as what was written.
	ErrDamaged = node.ErrDamaged

	// ErrConfig says that an option or the identity is out of bounds; the text names it.
	ErrConfig = node.ErrConfig

	// ErrFull is for engines: see Engine.
	ErrFull = node.ErrFull
)
