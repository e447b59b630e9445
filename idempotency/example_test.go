package idempotency_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

func ExampleNewKey() {
	token := idempotency.NewKey() // once per thing to be done, kept with it
	fmt.Println(len(token), token == idempotency.NewKey())
	// Output: 26 false
}

// What the client does with a store: a retry meets the intent of the first attempt, and then its result.
func ExampleMemory() {
	ctx, store := context.Background(), idempotency.NewMemory(0)
	key := idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "cart/1", Token: idempotency.NewKey()}
	write := func(actor vclock.Actor) idempotency.Intent {
		dot := vclock.Dot{Actor: actor, Stamp: vclock.StampAt(time.Now())}
		value := []byte("three apples")
		return idempotency.Intent{
			Fingerprint: idempotency.FingerprintOf(idempotency.Request{
				Op: idempotency.Put, Cluster: key.Cluster, Tenant: key.Tenant, Key: key.Key, Value: value,
			}),
			Op:    idempotency.Put,
			State: vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: value}),
		}
	}
	first, retry := write(1<<8), write(2<<8)

	_, mine, err := store.Begin(ctx, key, first, time.Hour)
	fmt.Println("first attempt:", mine, err)
	rec, mine, err := store.Begin(ctx, key, retry, time.Hour)
	fmt.Println("retry:", mine, rec.Intent.Dot() == first.Dot(), rec.Intent.Fingerprint == retry.Fingerprint, err)

	err = store.Complete(ctx, key, rec.Intent, idempotency.Result{Acked: 2, Owners: 3}, time.Hour)
	fmt.Println("complete:", err)
	rec, _, err = store.Lookup(ctx, key)
	fmt.Println("later:", rec.Done, rec.Result.Acked, err)
	// Output:
	// first attempt: true <nil>
	// retry: false true true <nil>
	// complete: <nil>
	// later: true 2 <nil>
}

func ExampleFingerprintOf() {
	put := idempotency.Request{Op: idempotency.Put, Cluster: "shop", Tenant: "acme", Key: "cart/1", Value: []byte("a")}
	same, other := put, put
	other.Value = []byte("b")
	fmt.Println(idempotency.FingerprintOf(put) == idempotency.FingerprintOf(same))
	fmt.Println(idempotency.FingerprintOf(put) == idempotency.FingerprintOf(other))
	// Output:
	// true
	// false
}

func ExampleKey_Validate() {
	err := idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "cart/1"}.Validate()
	var field *idempotency.FieldError
	fmt.Println(errors.As(err, &field), field.Field, errors.Is(err, idempotency.ErrInvalid))
	// Output: true Key.Token true
}
