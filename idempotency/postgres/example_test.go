package postgres_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/idempotency/postgres"
)

// New asks the server nothing, so a program starts whether it is there or not. Migrate needs it.
func ExampleNew() {
	pool, err := pgxpool.New(context.Background(), "postgres://shop@db.example/shop?pool_max_conns=8")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	store, err := postgres.New(pool, postgres.Schema("pairdb"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close() // before the pool
	// store.Migrate(ctx), then pairdb.Open(ctx, src, pairdb.WithIdempotency(store))

	_, err = postgres.New(pool, postgres.Schema("pg_catalog"))
	fmt.Println(err)
	// Output:
	// idempotency/postgres: Schema: invalid option: invalid schema name: "pg_catalog" is one of the server's own
}
