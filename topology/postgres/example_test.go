package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/devrev/pairdb/topology"
	"github.com/devrev/pairdb/topology/postgres"
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
	source, err := postgres.New(pool, "shop")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := source.Migrate(ctx); err != nil { // each process may, whenever it starts
		fmt.Println(err)
		return
	}
	err = source.Create(ctx, topology.Topology{Cluster: "shop", Epoch: 1, Nodes: []topology.Node{
		{ID: "n1", Addr: "10.0.0.1:7400"}, {ID: "n2", Addr: "10.0.0.2:7400"}, {ID: "n3", Addr: "10.0.0.3:7400"},
	}})
	if err != nil && !errors.Is(err, postgres.ErrExists) {
		fmt.Println(err)
		return
	}
	// client, err := pairdb.Open(ctx, source)
}

// A node moves to another address. It needs a server, so it is compiled and not run.
func ExampleStore_Update() {
	ctx := context.Background()
	var source *postgres.Store // as ExampleNew makes it

	for {
		next, err := source.Current(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		next.Epoch++
		next.Nodes[0].Addr = "10.0.0.9:7400"
		err = source.Update(ctx, *next)
		if errors.Is(err, postgres.ErrEpoch) {
			continue // somebody else was faster: decide anew
		}
		fmt.Println(err)
		return
	}
}

func ExampleEpochError() {
	err := error(&postgres.EpochError{Cluster: "shop", Given: 8, Has: 8})
	fmt.Println(err, errors.Is(err, postgres.ErrEpoch))
	// Output: topology of "shop": epoch conflict: it has epoch 8, the update is epoch 8, not 9 true
}
