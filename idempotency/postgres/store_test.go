package postgres_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/idempotencytest"
	"github.com/devrev/pairdb/idempotency/postgres"
	"github.com/devrev/pairdb/vclock"

	"github.com/devrev/pairdb/internal/testservers"
)

//pairdb:needs postgres

func TestItKeepsTheContractOfAStore(t *testing.T) {
	s, pool := newStore(t)
	url := pool.Config().ConnString()
	t.Run("one process", func(t *testing.T) {
		t.Parallel()
		idempotencytest.Run(t, func(*testing.T) idempotency.Store { return s })
	})
	if testing.Short() {
		return
	}
	t.Run("two processes that sweep all the time", func(t *testing.T) {
		t.Parallel()
		var both inTurn
		for i := range both.stores {
			both.stores[i] = storeOn(t, testservers.NewPool(t, url), postgres.SweepEvery(time.Nanosecond))
		}
		idempotencytest.Run(t, func(*testing.T) idempotency.Store { return &both })
	})
	// Some poolers follow no prepared statements, and some databases begin with another isolation.
	for name, change := range map[string]func(*pgxpool.Config){
		"simple protocol": func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol },
		"exec":            func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec },
		"repeatable read": isolated("repeatable read"),
		"serializable":    isolated("serializable"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeOn(t, testservers.NewPool(t, url, change))
			idempotencytest.Run(t, func(*testing.T) idempotency.Store { return s })
		})
	}
}

func isolated(level string) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["default_transaction_isolation"] = level }
}

// inTurn makes each call by the other one of two stores.
type inTurn struct {
	stores [2]*postgres.Store
	calls  atomic.Uint32
}

func (s *inTurn) next() *postgres.Store { return s.stores[s.calls.Add(1)%2] }

func (s *inTurn) Lookup(ctx context.Context, k idempotency.Key) (idempotency.Record, bool, error) {
	return s.next().Lookup(ctx, k)
}

func (s *inTurn) Begin(ctx context.Context, k idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	return s.next().Begin(ctx, k, i, ttl)
}

func (s *inTurn) Complete(ctx context.Context, k idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
	return s.next().Complete(ctx, k, i, r, ttl)
}

func (s *inTurn) Replace(
	ctx context.Context, k idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration,
) (idempotency.Record, bool, error) {
	return s.next().Replace(ctx, k, old, i, ttl)
}
