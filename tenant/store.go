package tenant

import "context"

// A Store keeps tenants. It is what operators' programs write to and what a Cache
// reads from; it is not made to be asked for every request.
//
// Who calls: a Cache, and programs that manage tenants; any number of goroutines
// at once, in any number of processes. Each method is one atomic step.
//
// Get is Reader's, without the promise of answering from memory: it asks each time,
// and fails when ctx has ended. (A store that is Immediate answers all the same; a Cache, which
// is a Store too, answers from memory.)
//
// Errors, besides Reader's: ErrExists, ErrVersion (a *VersionError), ErrImmutable (a
// *FieldError). Any other error says that the store could not be asked, or that it cannot be known
// whether it did what was asked: read the tenant, and look at its version.
//
// tenanttest.Run checks the contract.
type Store interface {
	Reader

	// Create adds a tenant and returns it as it is kept: Version 1, Created and
	// Updated set. c.Version must be 0; Replicas of 0 is DefaultReplicas. An id that is in use, or was
	// in use before it was deleted, is ErrExists: its keys may still be there.
	Create(ctx context.Context, c Config) (Config, error)

	// Update changes the tenant's levels and limits to c's, if c.Version is the
	// version that is kept, and returns it as it is kept: Version one higher,
	// Updated set. Another version is ErrVersion, another Replicas or Policy
	// ErrImmutable. c's times are not looked at.
	Update(ctx context.Context, c Config) (Config, error)

	// List returns up to limit tenants in the order of the bytes of their ids, from the first one
	// whose id is greater than after; after "" begins at the first of all, and anything else could
	// be an id, else it is ErrInvalid. limit is 1 to MaxList; 0 is DefaultList. Fewer than limit are
	// the last ones.
	List(ctx context.Context, after string, limit int) ([]Config, error)

	// Delete removes a tenant, if version is the one that is kept. Its id stays
	// reserved, and its keys stay on the nodes.
	Delete(ctx context.Context, id string, version uint64) error
}

const (
	// DefaultList is how many tenants List returns for a limit of 0.
	DefaultList = 100
	// MaxList bounds List's limit.
	MaxList = 1000
)

// A Watcher is a Reader that can tell of changes as they happen.
type Watcher interface {
	Reader

	// Watch calls changed, from one goroutine, with the id of each tenant that was
	// created, changed or deleted, until ctx ends or the watch breaks, and returns
	// why. Once it listens it calls changed(""): anything may have changed before.
	// changed is quick. A change that is told may be told again, or together with others as "".
	Watch(ctx context.Context, changed func(id string)) error
}

// AtHand is a Reader that can be asked for just what it has in memory.
type AtHand interface {
	Reader

	// AtHand returns what Get would, if it has an answer that need not be waited for. It
	// neither blocks nor allocates.
	AtHand(id string) (c Config, ok bool)
}
