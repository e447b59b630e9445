package tenant_test

import (
	"context"
	"errors"
	"fmt"

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

func ExampleConfig_Validate() {
	err := tenant.Config{ID: "acme", Replicas: 2, Read: quorum.Three}.Validate()

	var field *tenant.FieldError
	fmt.Println(errors.As(err, &field), field.Field)
	fmt.Println(err)
	// Output:
	// true Read
	// tenant: Read: needs 3 of 2 replicas
}
