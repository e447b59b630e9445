// Command cart is a shopping cart on pairdb: two service instances edit one
// cart at once, and nothing that a customer added is lost.
package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net"
	"slices"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/topology"
)

// Cart counts units by article.
type Cart map[string]int

// merge takes the larger count of each article: commutative, associative and
// idempotent, so that all who merge agree.
func merge(a, b Cart) (Cart, error) {
	sum := maps.Clone(a)
	for article, n := range b {
		sum[article] = max(sum[article], n)
	}
	return sum, nil
}

func main() {
	ctx := context.Background()
	cluster := startNodes("n1", "n2", "n3")
	checkout, app := open(ctx, cluster), open(ctx, cluster)
	defer closeAll(ctx, checkout, app)

	add := func(c *pairdb.Client, article string) func(pairdb.TypedObject[Cart]) (Cart, error) {
		return func(o pairdb.TypedObject[Cart]) (Cart, error) {
			sum := Cart{article: 1}
			for a, n := range o.Value {
				sum[a] += n
			}
			return sum, nil
		}
	}
	carts := func(c *pairdb.Client) *pairdb.Typed[Cart] {
		return pairdb.NewTyped(c.Tenant("carts"), pairdb.JSON[Cart]{}, merge)
	}
	must(carts(app).Update(ctx, "user/42", add(app, "apples")))

	// Both read the same cart, then both write: neither has seen the other's.
	seen := must(carts(app).Get(ctx, "user/42"))
	must(carts(app).Put(ctx, "user/42", Cart{"apples": 1, "bread": 1}, pairdb.After(seen.Context)))
	must(carts(checkout).Put(ctx, "user/42", Cart{"apples": 2}, pairdb.After(seen.Context)))

	cart := must(carts(checkout).Get(ctx, "user/42"))
	fmt.Printf("siblings: %d, conflict: %v\n", len(cart.Siblings), cart.Conflict())
	for _, article := range slices.Sorted(maps.Keys(cart.Value)) {
		fmt.Printf("%d × %s\n", cart.Value[article], article)
	}
	must(carts(checkout).Put(ctx, "user/42", cart.Value, pairdb.After(cart.Context)))
	cart = must(carts(app).Get(ctx, "user/42"))
	fmt.Printf("siblings: %d, conflict: %v\n", len(cart.Siblings), cart.Conflict())
}

// startNodes runs memory nodes in this process; a service has them elsewhere.
func startNodes(ids ...string) topology.Source {
	var addrs []string
	for _, id := range ids {
		node := must(storagenode.Open("", storagenode.Identity{Cluster: "shop", Node: id}, storagenode.Memory()))
		listener := must(net.Listen("tcp", "127.0.0.1:0"))
		go func() { _ = node.Serve(listener) }()
		addrs = append(addrs, id+"="+listener.Addr().String())
	}
	return topology.Addrs("shop", addrs...)
}

func open(ctx context.Context, cluster topology.Source) *pairdb.Client {
	return must(pairdb.Open(ctx, cluster))
}

func closeAll(ctx context.Context, clients ...*pairdb.Client) {
	for _, c := range clients {
		_ = c.Close(ctx)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
