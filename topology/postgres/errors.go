package postgres

import (
	"errors"
	"fmt"

	"github.com/devrev/pairdb/internal/postgres"
)

var (
	// ErrNoSchema says that the tables are not there, or lack something that this version of the program
	// needs: call Migrate.
	ErrNoSchema = postgres.ErrNoSchema

	// ErrNewerSchema says that the tables were made by a later version of the program, which has to be
	// used instead. The text names both versions.
	ErrNewerSchema = postgres.ErrNewerSchema

	// ErrNotFound says that the database has no such cluster: call Create, or mend the name.
	ErrNotFound = errors.New("cluster not found")

	// ErrExists says that Create found the cluster there already.
	ErrExists = errors.New("cluster exists")

	// ErrEpoch says that the topology has been changed since it was read: read it again, and decide anew. It
	// comes as an *EpochError.
	ErrEpoch = errors.New("topology epoch conflict")

	// ErrMoves says that an Update would give keys other owners, who do not have them.
	ErrMoves = errors.New("the change would move data")

	// ErrInUse says that UpdateEmpty found a cluster which is not empty: store ids are recorded, so nodes have been
	// used by clients, and data would be left behind.
	ErrInUse = errors.New("the cluster is in use")

	// ErrOption says that an argument or an option of New is not possible; the text names it.
	ErrOption = errors.New("invalid option")

	// ErrClosed says that the Store has been closed.
	ErrClosed = errors.New("the store is closed")
)

// An EpochError says which epoch an update has, and which one is kept: an update has that plus one. It is
// an ErrEpoch.
type EpochError struct {
	Cluster    string
	Given, Has uint64
}

func (e *EpochError) Error() string {
	return fmt.Sprintf("topology of %q: epoch conflict: it has epoch %d, the update is epoch %d, not %d",
		e.Cluster, e.Has, e.Given, e.Has+1)
}

// Unwrap makes errors.Is(e, ErrEpoch) hold.
func (*EpochError) Unwrap() error { return ErrEpoch }
