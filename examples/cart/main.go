// Command cart is a shopping cart on pairdb: a customer edits it on two devices at
// once, served by two instances of a service, and nothing that was added is lost.
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
	merged := Cart{}
	for _, cart := range []Cart{a, b} {
		for article, n := range cart {
			merged[article] = max(merged[article], n)
		}
	}
	return merged, nil
}

func main() {
	ctx := context.Background()
	cluster := startNodes("n1", "n2", "n3")
	phone, laptop := open(ctx, cluster), open(ctx, cluster)
	defer closeAll(ctx, phone, laptop)

	// Update reads, calls the function, and writes with the context of what it read.
	must(carts(phone).Update(ctx, "user/42", func(o pairdb.TypedObject[Cart]) (Cart, error) {
		return merge(o.Value, Cart{"apples": 1})
	}))

	// Both have read that cart, and both write: neither has seen the other's edit.
	seen := must(carts(phone).Get(ctx, "user/42"))
	must(carts(phone).Put(ctx, "user/42", Cart{"apples": 1, "bread": 1}, pairdb.After(seen.Context)))
	must(carts(laptop).Put(ctx, "user/42", Cart{"apples": 2}, pairdb.After(seen.Context)))

	// Whoever reads next gets the merged cart; storing it settles the conflict.
	show("after two edits at once", must(carts(laptop).Get(ctx, "user/42")))
	must(carts(laptop).Update(ctx, "user/42", func(o pairdb.TypedObject[Cart]) (Cart, error) {
		return o.Value, nil
	}))
	show("after the merge is stored", must(carts(phone).Get(ctx, "user/42")))
}

// carts is a tenant whose values are carts, kept as JSON.
func carts(client *pairdb.Client) *pairdb.Typed[Cart] {
	return pairdb.NewTyped(client.Tenant("carts"), pairdb.JSON[Cart]{}, merge)
}

func show(when string, cart pairdb.TypedObject[Cart]) {
	fmt.Printf("%s (siblings: %d):\n", when, len(cart.Siblings))
	for _, article := range slices.Sorted(maps.Keys(cart.Value)) {
		fmt.Printf("  %d × %s\n", cart.Value[article], article)
	}
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
