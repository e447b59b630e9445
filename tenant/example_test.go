package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

func ExampleAny() {
	c, err := tenant.Any().Get(context.Background(), "acme")
	fmt.Println(c.ID, c.Replicas, err)
	// Output: acme 3 <nil>
}

func ExampleAnyWith() {
	sessions, err := tenant.AnyWith(tenant.Config{Replicas: 2, Policy: vclock.LastWriteWins})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := sessions.Get(context.Background(), "acme")
	fmt.Println(c.ID, c.Replicas, c.Policy == vclock.LastWriteWins, err)
	// Output: acme 2 true <nil>
}

func ExampleStatic() {
	tenants, err := tenant.Static(
		tenant.Config{ID: "acme", Replicas: 5, Write: quorum.Three},
		tenant.Config{ID: "zeta"},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = tenants.Get(context.Background(), "nobody")
	fmt.Println(err, errors.Is(err, tenant.ErrNotFound))
	// Output: tenant "nobody": tenant not found true
}

func ExampleNewMemory() {
	ctx := context.Background()
	tenants, err := tenant.NewMemory(tenant.Config{ID: "acme", Replicas: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	acme, err := tenants.Get(ctx, "acme")
	if err != nil {
		fmt.Println(err)
		return
	}
	acme.Write = quorum.All
	changed, err := tenants.Update(ctx, acme)
	fmt.Println(changed.Version, err)

	_, err = tenants.Update(ctx, acme) // is based on version 1
	fmt.Println(errors.Is(err, tenant.ErrVersion))
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// true
	// tenant "acme": version conflict: it has version 2, the change is based on 1
}

func ExampleNewCache() {
	ctx := context.Background()
	store, err := tenant.NewMemory(tenant.Config{ID: "acme"}) // or a tenant/postgres Store
	if err != nil {
		fmt.Println(err)
		return
	}
	tenants, err := tenant.NewCache(store,
		tenant.CacheTTL(30*time.Second),
		tenant.OnStale(func(s tenant.Stale) {
			fmt.Printf("tenant %s is served as it was %v ago: %v\n", s.ID, s.Age, s.Err)
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tenants.Close()

	for range 1000 {
		if _, err := tenants.Get(ctx, "acme"); err != nil {
			fmt.Println(err)
		}
	}
	stats := tenants.Stats()
	fmt.Println(stats.Hits, stats.Misses)
	// Output: 999 1
}

func ExampleConfig_Validate() {
	err := tenant.Config{ID: "acme", Replicas: 2, Read: quorum.Three}.Validate()

	var field *tenant.FieldError
	fmt.Println(errors.As(err, &field), field.Field)
	fmt.Println(err)
	// Output:
	// true Read
	// tenant: Read: needs 3 of 2 replicas
}
