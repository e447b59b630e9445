package pairdbtest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

// The examples call Start, since they have no *testing.T. A test calls
// New(t, 3) and Client(t), and leaves closing to them.

func Example() {
	ctx := context.Background()
	cluster, err := pairdbtest.Start(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	client, err := cluster.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := client.Tenant("shop")

	if _, err := shop.Put(ctx, "cart/7", []byte("2 apples")); err != nil {
		fmt.Println(err)
		return
	}
	cluster.Owners("shop", "cart/7")[0].Stop()
	cart, err := shop.Get(ctx, "cart/7")
	fmt.Println(string(cart.Value), err)
	// Output: 2 apples <nil>
}

// How a merge function does on real siblings.
func ExampleCluster_Plant() {
	ctx := context.Background()
	cluster, err := pairdbtest.Start(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	union := func(_ string, live []pairdb.Sibling) ([]byte, error) {
		var items []string
		for _, s := range live {
			items = append(items, strings.Fields(string(s.Value))...)
		}
		slices.Sort(items)
		return []byte(strings.Join(slices.Compact(items), " ")), nil
	}
	client, err := cluster.Open(ctx, pairdb.WithResolver(union))
	if err != nil {
		fmt.Println(err)
		return
	}

	cluster.Plant("shop", "cart/7", "apples pears", "apples plums")
	cart, err := client.Tenant("shop").Get(ctx, "cart/7")
	fmt.Println(string(cart.Value), cart.Conflict(), err)
	// Output: apples pears plums true <nil>
}

// What a program does about a write of which nobody knows whether it happened.
func ExampleNode_FailWrite() {
	ctx := context.Background()
	cluster, err := pairdbtest.Start(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	client, err := cluster.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := client.Tenant("shop")

	for _, n := range cluster.Owners("shop", "order/9") {
		n.FailWrite(1, pairdbtest.AfterApply) // stored, and the answer is lost
	}
	_, err = shop.Put(ctx, "order/9", []byte("paid"))
	fmt.Println("unknown:", errors.Is(err, pairdb.ErrUnknown))

	if err := client.Ready(ctx); err != nil { // the connections broke
		fmt.Println(err)
		return
	}
	order, err := shop.Get(ctx, "order/9")
	fmt.Println("so read it:", string(order.Value), err)
	// Output:
	// unknown: true
	// so read it: paid <nil>
}

// What a client says when too few owners are left, and that it recovers.
func ExampleNode_Stop() {
	ctx := context.Background()
	cluster, err := pairdbtest.Start(3)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	client, err := cluster.Open(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := client.Tenant("shop")

	cluster.Node(0).Stop()
	_, err = shop.Put(ctx, "k", []byte("one down"))
	fmt.Println(err)
	cluster.Node(1).Stop()
	_, err = shop.Get(ctx, "k")
	fmt.Println("two down:", errors.Is(err, pairdb.ErrUnavailable))

	cluster.Heal()
	if err := client.Ready(ctx); err != nil {
		fmt.Println(err)
		return
	}
	got, err := shop.Get(ctx, "k")
	fmt.Println(string(got.Value), err)
	// Output:
	// <nil>
	// two down: true
	// one down <nil>
}
