package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/topology"
)

// openShop gives the examples a tenant of a cluster that runs in this process.
func openShop() (shop *pairdb.Tenant, cluster *pairdbtest.Cluster) {
	cluster, err := pairdbtest.Start(3)
	if err != nil {
		log.Fatal(err)
	}
	client, err := cluster.Open(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	return client.Tenant("shop"), cluster
}

func ExampleOpen() {
	ctx := context.Background()
	cluster, err := pairdbtest.Start(3) // elsewhere these are three pairdb-node processes
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()

	client, err := pairdb.Open(ctx, topology.Addrs(pairdbtest.ClusterName, "n1=n1:7400", "n2=n2:7400", "n3=n3:7400"),
		pairdb.WithDialer(cluster.Dial), // instead of TCP
		pairdb.WithTimeout(2*time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := client.Ready(ctx); err != nil { // Open contacts no node
		fmt.Println(err)
		return
	}
	carts := client.Tenant("carts")
	if _, err := carts.Put(ctx, "user/42", []byte("apples")); err != nil {
		fmt.Println(err)
		return
	}
	cart, err := carts.Get(ctx, "user/42")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(cart.Value))
	fmt.Println(client.Close(ctx)) // waits for what is under way
	// Output:
	// apples
	// <nil>
}

// A Put says what it replaces: everything, nothing, or what was read.
func ExampleTenant_Put() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	blind, err := shop.Put(ctx, "k", []byte("a")) // whatever was acknowledged before
	if err != nil {
		fmt.Println(err)
		return
	}
	after, err := shop.Put(ctx, "k", []byte("b"), pairdb.After(blind.Context)) // just that
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err = shop.Put(ctx, "k", []byte("c"), pairdb.NoContext()); err != nil { // nothing
		fmt.Println(err)
		return
	}
	obj, err := shop.Get(ctx, "k")
	fmt.Println(blind.RoundTrips, after.RoundTrips, len(obj.Siblings), err)
	// Output: 2 1 2 <nil>
}

// A session that ends by itself.
func ExampleWithTTL() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	if _, err := shop.Put(ctx, "session/7", []byte("ada"), pairdb.WithTTL(30*time.Minute)); err != nil {
		fmt.Println(err)
		return
	}
	obj, err := shop.Get(ctx, "session/7")
	fmt.Println(string(obj.Value), time.Until(obj.Expires) > 29*time.Minute, err)
	// Output: ada true <nil>
}

// Not found is an answer: the object that comes with it carries the context.
func ExampleTenant_Get() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	obj, err := shop.Get(ctx, "cart/7")
	switch {
	case errors.Is(err, pairdb.ErrNotFound):
		fmt.Println("none yet")
	case err != nil:
		fmt.Println(err)
		return
	}
	if _, err := shop.Put(ctx, "cart/7", []byte("apples"), pairdb.After(obj.Context)); err != nil {
		fmt.Println(err)
		return
	}
	obj, err = shop.Get(ctx, "cart/7", pairdb.AtLevel(pairdb.All), pairdb.Timeout(time.Second))
	fmt.Println(string(obj.Value), obj.Found(), obj.Conflict(), err)
	// Output:
	// none yet
	// apples true false <nil>
}

func ExampleTenant_Update() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	add := func(item string) {
		_, err := shop.Update(ctx, "cart/7", func(cart pairdb.Object) ([]byte, error) {
			if !cart.Found() {
				return []byte(item), nil
			}
			return fmt.Appendf(nil, "%s, %s", cart.Value, item), nil
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	add("apples")
	add("pears")
	cart, err := shop.Get(ctx, "cart/7")
	fmt.Println(string(cart.Value), err)
	// Output: apples, pears <nil>
}

// What the function returns decides: a value, no write, or a tombstone.
func ExampleTenant_Update_delete() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	if _, err := shop.Put(ctx, "cart/7", []byte("empty")); err != nil {
		fmt.Println(err)
		return
	}
	_, err := shop.Update(ctx, "cart/7", func(cart pairdb.Object) ([]byte, error) {
		if string(cart.Value) == "empty" {
			return nil, pairdb.DeleteKey
		}
		return nil, pairdb.SkipWrite
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = shop.Get(ctx, "cart/7")
	fmt.Println(err)
	// Output: pairdb: not found
}

// A delete with a context leaves what was written meanwhile.
func ExampleTenant_Delete() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	seen, err := shop.Put(ctx, "cart/7", []byte("apples"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := shop.Put(ctx, "cart/7", []byte("apples, pears"), pairdb.After(seen.Context)); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := shop.Delete(ctx, "cart/7", pairdb.After(seen.Context)); err != nil {
		fmt.Println(err)
		return
	}
	cart, err := shop.Get(ctx, "cart/7")
	fmt.Println(string(cart.Value), err)
	if _, err := shop.Delete(ctx, "cart/7"); err != nil {
		fmt.Println(err)
		return
	}
	_, err = shop.Get(ctx, "cart/7")
	fmt.Println(err)
	// Output:
	// apples, pears <nil>
	// pairdb: not found
}

func ExampleTenant_GetMany() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	if _, err := shop.Put(ctx, "price/apples", []byte("30")); err != nil {
		fmt.Println(err)
		return
	}
	results := shop.GetMany(ctx, []string{"price/apples", "price/moon"})
	if err := results.FirstErr(); err != nil { // not found is none
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Printf("%s %q %v\n", r.Object.Key, r.Object.Value, r.Err)
	}
	// Output:
	// price/apples "30" <nil>
	// price/moon "" pairdb: not found
}

// Each item stands for itself: one that fails does not fail the rest.
func ExampleTenant_PutMany() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	results := shop.PutMany(ctx, []pairdb.Item{
		{Key: "price/apples", Value: []byte("30")},
		{Key: "", Value: []byte("0")},
		{Key: "price/pears", Value: []byte("40"), Opts: []pairdb.WriteOption{pairdb.WithTTL(time.Hour)}},
	}, pairdb.AtLevel(pairdb.All))
	for _, r := range results {
		fmt.Println(r.Receipt.Acked, r.Err)
	}
	// Output:
	// 3 <nil>
	// 0 pairdb: put shop/"": key: is empty (the write was not applied)
	// 3 <nil>
}

func ExampleTenant_Owners() {
	shop, cluster := openShop()
	defer cluster.Close()

	owners, err := shop.Owners("cart/7")
	fmt.Println(len(owners), err)
	// Output: 3 <nil>
}
