package pairdb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/storagepb"
)

// A wiki page goes out as a form with its context in a hidden field, and is
// edited by two people at once.
func ExampleAfter() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()

	if _, err := shop.Put(ctx, "page/1", []byte("draft")); err != nil {
		fmt.Println(err)
		return
	}
	page, err := shop.Get(ctx, "page/1")
	if err != nil {
		fmt.Println(err)
		return
	}
	form, err := page.Context.MarshalText()
	if err != nil {
		fmt.Println(err)
		return
	}

	for _, edit := range []string{"Ada's text", "Bob's text"} { // both come back
		var seen pairdb.CausalContext
		if err := seen.UnmarshalText(form); err != nil {
			fmt.Println(err)
			return
		}
		if _, err := shop.Put(ctx, "page/1", []byte(edit), pairdb.After(seen)); err != nil {
			fmt.Println(err)
			return
		}
	}
	page, err = shop.Get(ctx, "page/1")
	fmt.Println(string(page.Value), page.Conflict(), err)
	for _, s := range page.Siblings {
		fmt.Println(string(s.Value))
	}
	// Output:
	// Bob's text true <nil>
	// Ada's text
	// Bob's text
}

// Where no edit may be lost, conflicts are errors, and the caller settles them.
func ExampleRefuseConflicts() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()
	cluster.Plant("shop", "page/1", "Ada's text", "Bob's text")

	page, err := shop.Get(ctx, "page/1", pairdb.ResolveWith(pairdb.RefuseConflicts))
	if errors.Is(err, pairdb.ErrConflict) {
		fmt.Println(len(page.Siblings), "edits")
	}
	_, err = shop.Put(ctx, "page/1", []byte("both texts"), pairdb.After(page.Context))
	if err != nil {
		fmt.Println(err)
		return
	}
	page, err = shop.Get(ctx, "page/1", pairdb.ResolveWith(pairdb.RefuseConflicts))
	fmt.Println(string(page.Value), err)
	// Output:
	// 2 edits
	// both texts <nil>
}

// Carts of a Go type, which merge by union.
func ExampleNewTyped() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()
	carts := pairdb.NewTyped(shop, pairdb.JSON[[]string]{}, func(a, b []string) ([]string, error) {
		all := slices.Concat(a, b)
		slices.Sort(all)
		return slices.Compact(all), nil
	})

	cluster.Plant("shop", "cart/7", `["apples"]`, `["apples","pears"]`) // two devices, offline
	_, err := carts.Update(ctx, "cart/7", func(cart pairdb.TypedObject[[]string]) ([]string, error) {
		return append(cart.Value, "plums"), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	cart, err := carts.Get(ctx, "cart/7")
	fmt.Println(cart.Value, cart.Conflict(), err)
	// Output: [apples pears plums] false <nil>
}

// What to do about an error of a write: repeat it, look, or give up.
func ExampleRetryable() {
	shop, cluster := openShop()
	defer cluster.Close()
	ctx := context.Background()
	for _, n := range cluster.Owners("shop", "order/9")[:2] {
		n.Stop()
	}

	_, err := shop.Put(ctx, "order/9", []byte("paid"))
	switch {
	case pairdb.Retryable(err):
		fmt.Println("not applied: repeat it, after a while")
	case errors.Is(err, pairdb.ErrUnknown):
		fmt.Println("read the key before deciding")
	case err != nil:
		fmt.Println(err)
		return
	}
	// Output: not applied: repeat it, after a while
}

// Which nodes failed, and why, for programs; the text says the same to people.
func ExampleQuorumError() {
	shop, cluster := openShop()
	defer cluster.Close()
	for _, n := range cluster.Owners("shop", "order/9") {
		n.RefuseOp(1, storagepb.Status_OVERLOADED)
	}

	_, err := shop.Get(context.Background(), "order/9")
	if quorum, ok := errors.AsType[*pairdb.QuorumError](err); ok {
		fmt.Println(quorum.Level, "needs", quorum.Needed, "of", quorum.Total, "and got", quorum.Got)
		for _, cause := range quorum.Unwrap() {
			if replica, ok := errors.AsType[*pairdb.ReplicaError](cause); ok {
				fmt.Println(replica.Node, replica.Addr)
			}
		}
	}
	// Output:
	// quorum needs 2 of 3 and got 0
	// n1 n1:7400
	// n3 n3:7400
	// n2 n2:7400
}
