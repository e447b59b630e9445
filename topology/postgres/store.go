package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/topology"
)

// DefaultPoll is how often a waiting Watch reads the topology although nothing was told.
const DefaultPoll = 15 * time.Second

// A Store keeps the topology of one cluster. It implements topology.Source and topology.Recorder. Any number of
// goroutines, and of clients, may use it.
type Store struct {
	pool    *pgxpool.Pool
	cluster string
	schema  string // "" is the first of the connection's search_path
	poll    time.Duration
	notify  bool
	sql     statements

	// asked counts the requests to read what there is; a reading that began later answers them all.
	asked atomic.Uint64
	// turn holds one token while somebody reads. (Not a mutex: waiting for it ends with the caller's context.)
	turn    chan struct{}
	read    uint64             // guarded by turn; asked, when the last reading began
	err     error              // guarded by turn; of the last reading
	current *topology.Topology // guarded by turn; in force; nil until one was read

	mu       sync.Mutex
	closed   bool          // guarded by mu
	waiting  int           // guarded by mu; how many wait for a change
	listener *listener     // guarded by mu; nil while nobody waits
	changed  chan struct{} // guarded by mu; closed and replaced when there may be a change
}

var _ topology.Recorder = (*Store)(nil)

// An Option sets an optional property of New.
type Option struct{ apply func(*Store) error }

// Schema sets the schema of the tables: 1 to 63 bytes. The default is the first one of the
// connection's search_path, usually "public". Migrate makes a schema that is not there.
func Schema(name string) Option {
	return Option{func(s *Store) error {
		if err := postgres.CheckSchema(name); err != nil {
			return fmt.Errorf("Schema: %w: %w", ErrOption, err)
		}
		s.schema = name
		return nil
	}}
}

// PollEvery sets how often a waiting Watch reads the topology although nothing was told, give or take a
// fifth. The default is DefaultPoll.
func PollEvery(d time.Duration) Option {
	return Option{func(s *Store) error {
		if d <= 0 {
			return fmt.Errorf("PollEvery: %w: %v is not above 0", ErrOption, d)
		}
		s.poll = d
		return nil
	}}
}

// WithoutNotify is for servers and poolers without LISTEN: changes are not told, and seen by polling
// alone. By default they are told.
func WithoutNotify() Option {
	return Option{func(s *Store) error {
		s.notify = false
		return nil
	}}
}

// New returns a Store of one cluster's topology on the caller's pool, which has to be open for as long as the
// Store is used. It asks the server nothing. The error is ErrOption, or topology.ErrInvalid for a cluster's name
// that cannot be one.
func New(pool *pgxpool.Pool, cluster string, opts ...Option) (*Store, error) {
	if pool == nil {
		return nil, fmt.Errorf("topology/postgres: %w: the pool is nil", ErrOption)
	}
	if err := checkName(cluster); err != nil {
		return nil, fmt.Errorf("topology/postgres: %w", err)
	}
	s := &Store{
		pool: pool, cluster: cluster, poll: DefaultPoll, notify: true,
		turn: make(chan struct{}, 1), changed: make(chan struct{}),
	}
	for _, o := range opts {
		if o.apply == nil {
			continue
		}
		if err := o.apply(s); err != nil {
			return nil, fmt.Errorf("topology/postgres: %w", err)
		}
	}
	s.prepare()
	return s, nil
}

// Current returns the topology as it is kept, read from the database. The copy is the caller's, to change
// and hand to Update. The error is ErrNotFound, topology.ErrInvalid, or the server's.
func (s *Store) Current(ctx context.Context) (*topology.Topology, error) {
	t, err := s.load(ctx, s.pool)
	if err != nil {
		return nil, s.explain(ctx, "read", err)
	}
	return t, nil
}

// Close ends what waits in Watch, with ErrClosed, and the connection that listens. It is for programs that
// drop a Store while others still watch: else nothing is left of it when they have ended. The pool stays open.
func (s *Store) Close() {
	s.mu.Lock()
	s.closed = true
	listening := s.listener
	s.listener = nil
	s.wake()
	s.mu.Unlock()
	listening.end()
}

// explain says what was done to which cluster, and what to do about an error of the server.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	if postgres.IsAltered(err) {
		err = fmt.Errorf("%w: the tables are not as Migrate makes them: %w", topology.ErrInvalid, err)
	}
	return postgres.Explain(ctx, fmt.Sprintf("%s the topology of %q", doing, s.cluster), err)
}
