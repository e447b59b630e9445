package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/tenant"
)

// A Store keeps tenants in a database. It implements tenant.Store and tenant.Watcher. Any number of goroutines may
// use it. It needs no closing.
type Store struct {
	pool   *pgxpool.Pool
	schema string // "" is the first of the connection's search_path
	notify bool

	create, update, remove, get, list string // statements
}

var (
	_ tenant.Store   = (*Store)(nil)
	_ tenant.Watcher = (*Store)(nil)
)

// An Option sets an optional property of New.
type Option struct{ apply func(*Store) error }

// Schema sets the schema of the table: 1 to 63 bytes. The default is the first one of the
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

// WithoutNotify is for servers and poolers without LISTEN: changes are not told, and Watch
// waits for the end of its context. Caches see changes when their entries run out. By default they are told.
func WithoutNotify() Option {
	return Option{func(s *Store) error {
		s.notify = false
		return nil
	}}
}

// New returns a Store on the caller's pool, which has to be open for as long as the Store is used. It asks the
// server nothing. The error is ErrOption.
func New(pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	if pool == nil {
		return nil, fmt.Errorf("tenant/postgres: %w: the pool is nil", ErrOption)
	}
	s := &Store{pool: pool, notify: true}
	for _, o := range opts {
		if o.apply == nil {
			continue
		}
		if err := o.apply(s); err != nil {
			return nil, fmt.Errorf("tenant/postgres: %w", err)
		}
	}
	s.prepare()
	return s, nil
}

// Watch implements tenant.Watcher, on one connection of its own besides the pool's. It
// notices a server that is gone within 40 seconds.
func (s *Store) Watch(ctx context.Context, changed func(id string)) error {
	if !s.notify {
		<-ctx.Done()
		return fmt.Errorf("watch tenants: %w", ctx.Err())
	}
	err := postgres.Listen(ctx, s.pool, channel, func() { changed("") }, func(id string) {
		if tenant.ValidID(id) != nil { // anybody can notify
			id = ""
		}
		changed(id)
	})
	return fmt.Errorf("watch tenants: %w", err)
}
