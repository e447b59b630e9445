package postgres_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/tenant/postgres"
)

// It needs a server, so it is compiled and not run.
func ExampleNew() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	tenants, err := postgres.New(pool, postgres.Schema("pairdb"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tenants.Migrate(ctx); err != nil { // each process may, whenever it starts
		fmt.Println(err)
		return
	}
	acme, err := tenants.Create(ctx, tenant.Config{ID: "acme", Replicas: 3})
	fmt.Println(acme.Version, err)
}

func ExampleSchema() {
	pool, err := pgxpool.New(context.Background(), "postgres://127.0.0.1:5432/app") // which connects when it is used
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	_, err = postgres.New(pool, postgres.Schema(""))
	fmt.Println(err)
	// Output: tenant/postgres: Schema: invalid option: invalid schema name: it is empty
}
