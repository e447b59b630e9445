package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/vclock"
)

// attempts bounds how often a statement is made that the server undid only because of
// another one. It happens where the pool's connections begin with an isolation level
// above read committed; each time somebody else gets on.
const attempts = 20

// A Store keeps idempotency records in a database. It implements idempotency.Store. Any number of
// goroutines may use it.
type Store struct {
	pool   *pgxpool.Pool
	schema string // "" is the first of the connection's search_path

	lookup, begin, complete, replace, sweep string // statements

	sweeper sweeper
}

var _ idempotency.Store = (*Store)(nil)

// New returns a Store on the caller's pool, which has to be open until the Store is closed. It asks the
// server nothing. The error is ErrOption.
func New(pool *pgxpool.Pool, opts ...Option) (*Store, error) {
	if pool == nil {
		return nil, fmt.Errorf("idempotency/postgres: %w: the pool is nil", ErrOption)
	}
	s := &Store{pool: pool, sweeper: sweeper{every: DefaultSweepEvery, log: slog.New(slog.DiscardHandler)}}
	for _, o := range opts {
		if o.apply == nil {
			continue
		}
		if err := o.apply(s); err != nil {
			return nil, fmt.Errorf("idempotency/postgres: %w", err)
		}
	}
	for statement, sql := range map[*string]string{
		&s.lookup: lookupSQL, &s.begin: beginSQL, &s.complete: completeSQL, &s.replace: replaceSQL, &s.sweep: sweepSQL,
	} {
		*statement = postgres.SQL(s.schema, sql)
	}
	s.sweeper.open(s.Sweep)
	return s, nil
}

// Close ends the background sweep, if one runs, and waits for its end. The other methods go on
// working, and sweep no more. The pool stays open.
func (s *Store) Close() { s.sweeper.close() }

// Lookup implements idempotency.Store.
func (s *Store) Lookup(ctx context.Context, key idempotency.Key) (idempotency.Record, bool, error) {
	if err := key.Validate(); err != nil {
		return idempotency.Record{}, false, err
	}
	rec, found, err := s.ask(ctx, "look up", s.lookup, key)
	return rec, found, err
}

// Begin implements idempotency.Store.
func (s *Store) Begin(ctx context.Context, key idempotency.Key, intent idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	return s.put(ctx, "begin", s.begin, key, intent, ttl)
}

// Replace implements idempotency.Store.
func (s *Store) Replace(
	ctx context.Context, key idempotency.Key, old vclock.Dot, intent idempotency.Intent, ttl time.Duration,
) (idempotency.Record, bool, error) {
	return s.put(ctx, "replace", s.replace, key, intent, ttl, idempotency.AppendDot(nil, old))
}

func (s *Store) put(
	ctx context.Context, doing, sql string, key idempotency.Key, intent idempotency.Intent, ttl time.Duration, more ...any,
) (idempotency.Record, bool, error) {
	if err := firstOf(key.Validate(), intent.Validate(), idempotency.CheckTTL(ttl)); err != nil {
		return idempotency.Record{}, false, err
	}
	args := append([]any{idempotency.AppendRecord(nil, idempotency.Record{Intent: intent}), microseconds(ttl)}, more...)
	rec, err := s.write(ctx, doing, sql, key, args...)
	if err != nil {
		return idempotency.Record{}, false, err
	}
	return rec, rec.Intent.Dot() == intent.Dot(), nil
}

// Complete implements idempotency.Store.
func (s *Store) Complete(
	ctx context.Context, key idempotency.Key, intent idempotency.Intent, result idempotency.Result, ttl time.Duration,
) error {
	if err := firstOf(key.Validate(), intent.Validate(), result.Validate(), idempotency.CheckTTL(ttl)); err != nil {
		return err
	}
	finished := idempotency.AppendRecord(nil, idempotency.Finished(intent, result))
	rec, err := s.write(ctx, "complete", s.complete, key, finished, microseconds(ttl))
	if err == nil && rec.Intent.Dot() != intent.Dot() {
		return fmt.Errorf("%s: %w", at("complete", key), idempotency.ErrReplaced)
	}
	return err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// microseconds rounds up to what a timestamptz can express.
func microseconds(ttl time.Duration) int64 {
	return int64((ttl + time.Microsecond - 1) / time.Microsecond)
}

// write is ask of a statement that answers in any case.
func (s *Store) write(ctx context.Context, doing, sql string, key idempotency.Key, args ...any) (idempotency.Record, error) {
	rec, found, err := s.ask(ctx, doing, sql, key, args...)
	if err == nil && !found {
		err = fmt.Errorf("%s: the server took the row and did not return it (a rule, a trigger or a policy of the table?)", at(doing, key))
	}
	if err == nil {
		s.sweeper.mayBegin()
	}
	return rec, err
}

// ask makes a statement whose first parameters are the key's parts, and reads the record that it answers with.
func (s *Store) ask(ctx context.Context, doing, sql string, key idempotency.Key, args ...any) (rec idempotency.Record, found bool, err error) {
	if err := ctx.Err(); err != nil {
		return rec, false, fmt.Errorf("%s: %w", at(doing, key), err)
	}
	args = append([]any{key.Cluster, key.Tenant, []byte(key.Key), []byte(key.Token)}, args...)
	for range attempts {
		err = postgres.Each(ctx, s.pool, sql, args, func(row postgres.Row) error {
			b, err := row.Bytes("record")
			if err != nil {
				return fmt.Errorf("%w: %w", idempotency.ErrDamaged, err)
			}
			found = true
			rec, err = idempotency.DecodeRecord(b)
			return err
		})
		if !postgres.IsRetryable(err) {
			break
		}
	}
	if err != nil {
		rec, found = idempotency.Record{}, false
		if !errors.Is(err, idempotency.ErrDamaged) {
			return rec, found, postgres.Explain(ctx, at(doing, key), err)
		}
		err = fmt.Errorf("%s: %w", at(doing, key), err)
	}
	return rec, found, err
}

// at says what was being done to which record. Tokens may be secrets of the caller's, and are left out.
func at(doing string, key idempotency.Key) string {
	const shown = 64
	name := key.Key
	if len(name) > shown {
		name = name[:shown] + "…"
	}
	return fmt.Sprintf("idempotency/postgres: %s %s/%s/%q", doing, key.Cluster, key.Tenant, name)
}
