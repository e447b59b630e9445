package postgres

import (
	"context"
	"fmt"

	"github.com/devrev/pairdb/internal/postgres"
	"github.com/devrev/pairdb/tenant"
)

// Get implements tenant.Store.
func (s *Store) Get(ctx context.Context, id string) (tenant.Config, error) {
	if err := tenant.ValidID(id); err != nil {
		return tenant.Config{}, err
	}
	configs, err := s.query(ctx, s.get, id)
	if err != nil {
		return tenant.Config{}, s.explain(ctx, fmt.Sprintf("get tenant %q", id), err)
	}
	if len(configs) == 0 {
		return tenant.Config{}, fmt.Errorf("tenant %q: %w", id, tenant.ErrNotFound)
	}
	if got := configs[0].ID; got != id {
		return tenant.Config{}, fmt.Errorf("get tenant %q: %w: the row is that of %q", id, ErrDamaged, got)
	}
	return configs[0], nil
}

// List implements tenant.Store. One damaged row refuses the page: a list that left it out
// would say that the tenant is gone.
func (s *Store) List(ctx context.Context, after string, limit int) ([]tenant.Config, error) {
	limit, err := tenant.Page(after, limit)
	if err != nil {
		return nil, err
	}
	configs, err := s.query(ctx, s.list, after, limit)
	if err != nil {
		return nil, s.explain(ctx, "list tenants", err)
	}
	return configs, nil
}

// query returns the tenants of a statement's rows.
func (s *Store) query(ctx context.Context, sql string, args ...any) ([]tenant.Config, error) {
	var out []tenant.Config
	err := postgres.Each(ctx, s.pool, sql, args, func(r postgres.Row) error {
		c, err := decode(r)
		if err == nil {
			out = append(out, c)
		}
		return err
	})
	return out, err
}

// explain says what to do about an error of the server.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	if postgres.IsAltered(err) {
		err = fmt.Errorf("%w of pairdb_tenants: %w", ErrDamaged, err)
	}
	return postgres.Explain(ctx, doing, err)
}
