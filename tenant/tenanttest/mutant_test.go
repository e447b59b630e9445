package tenanttest_test

import (
	"context"

	"github.com/devrev/pairdb/tenant"
)

// A mutant is a Memory of which some methods are others.
type mutant struct {
	*tenant.Memory
	get    func(context.Context, string) (tenant.Config, error)
	create func(context.Context, tenant.Config) (tenant.Config, error)
	update func(context.Context, tenant.Config) (tenant.Config, error)
	list   func(context.Context, string, int) ([]tenant.Config, error)
	remove func(context.Context, string, uint64) error
	watch  func(context.Context, func(string)) error
}

func (m mutant) Get(ctx context.Context, id string) (tenant.Config, error) {
	if m.get == nil {
		return m.Memory.Get(ctx, id)
	}
	return m.get(ctx, id)
}

func (m mutant) Create(ctx context.Context, c tenant.Config) (tenant.Config, error) {
	if m.create == nil {
		return m.Memory.Create(ctx, c)
	}
	return m.create(ctx, c)
}

func (m mutant) Update(ctx context.Context, c tenant.Config) (tenant.Config, error) {
	if m.update == nil {
		return m.Memory.Update(ctx, c)
	}
	return m.update(ctx, c)
}

func (m mutant) List(ctx context.Context, after string, limit int) ([]tenant.Config, error) {
	if m.list == nil {
		return m.Memory.List(ctx, after, limit)
	}
	return m.list(ctx, after, limit)
}

func (m mutant) Delete(ctx context.Context, id string, version uint64) error {
	if m.remove == nil {
		return m.Memory.Delete(ctx, id, version)
	}
	return m.remove(ctx, id, version)
}

func (m mutant) Watch(ctx context.Context, changed func(string)) error {
	if m.watch == nil {
		return m.Memory.Watch(ctx, changed)
	}
	return m.watch(ctx, changed)
}
