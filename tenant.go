package pairdb

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/topology"
)

// Tenant is a handle on one tenant's keys. It is safe for any number of goroutines.
type Tenant struct {
	c       *Client
	id      string
	invalid error // why the id is none
}

// checkTenant returns an InputError if id may not name a tenant.
func checkTenant(id string) error {
	err := tenant.ValidID(id)
	if err == nil {
		return nil
	}
	reason := err.Error()
	if field, ok := errors.AsType[*tenant.FieldError](err); ok {
		reason = field.Reason
	}
	return &InputError{Field: "tenant", Reason: reason}
}

// ID returns the tenant's id.
func (t *Tenant) ID() string { return t.id }

// Owners returns the nodes that hold a key, in preference order. It asks no node.
func (t *Tenant) Owners(key string) ([]topology.Node, error) {
	k := call{c: t.c, ctx: t.c.background, tenant: t.id, key: key, deadline: time.Now().Add(t.c.cfg.timeout)}
	err := t.invalid
	if err == nil {
		err = validKey(key)
	}
	if err == nil {
		err = k.place()
	}
	if err != nil {
		return nil, fmt.Errorf("pairdb: owners of %s/%q: %w", shownTenant(t.id), shorten(key), err)
	}
	nodes := make([]topology.Node, 0, len(k.owners))
	for _, o := range k.owners {
		nodes = append(nodes, k.v.nodes[o].Node)
	}
	return nodes, nil
}
