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
)

//pairdb:needs postgres

func TestItKeepsTheContractOfAStore(t *testing.T) {
	s, _ := newStore(t)
	idempotencytest.Run(t, func(*testing.T) idempotency.Store { return s })
}

func TestItKeepsTheContractOfAStoreFromTwoProcesses(t *testing.T) {
	a, pool := newStore(t, postgres.SweepEvery(time.Nanosecond))
	b := storeOn(t, newPool(t, pool.Config().ConnString()), postgres.SweepEvery(time.Nanosecond))
	idempotencytest.Run(t, func(*testing.T) idempotency.Store { return &inTurn{stores: [2]*postgres.Store{a, b}} })
}

// Some poolers follow no prepared statements, and some databases begin with another isolation.
func TestItKeepsTheContractOfAStoreHoweverThePoolConnects(t *testing.T) {
	_, migrated := newStore(t)
	for name, change := range map[string]func(*pgxpool.Config){
		"simple protocol": func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol },
		"exec":            func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec },
		"repeatable read": func(c *pgxpool.Config) {
			c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
		},
		"serializable": func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storeOn(t, newPool(t, migrated.Config().ConnString(), change))
			idempotencytest.Run(t, func(*testing.T) idempotency.Store { return s })
		})
	}
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
