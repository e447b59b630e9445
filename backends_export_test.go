package pairdb

import (
	"context"
	"time"

	"github.com/devrev/pairdb/tenant"
)

// LookUpTenant is what a request does to find out how its tenant is replicated.
func (c *Client) LookUpTenant(ctx context.Context, id string, deadline time.Time) (tenant.Config, error) {
	config, _, err := c.tenants.find(ctx, id, deadline)
	return config, err
}
