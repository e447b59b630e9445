package tenant

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a Store in the memory of one process: for tests, and for programs that are
// their cluster's only client. It forgets all when the process ends. It is a Watcher, and
// Immediate: its Get answers whatever the state of ctx. All methods
// may be called from any number of goroutines.
type Memory struct {
	mu       sync.RWMutex
	tenants  map[string]Config         // guarded by mu
	reserved map[string]struct{}       // guarded by mu; the ids of tenants that were deleted
	watches  map[*memoryWatch]struct{} // guarded by mu
}

// NewMemory returns a Memory that holds the given tenants, as Create would have made
// them. The error is Create's, for each config that it would refuse.
func NewMemory(configs ...Config) (*Memory, error) {
	m := &Memory{
		tenants:  make(map[string]Config, len(configs)),
		reserved: make(map[string]struct{}),
		watches:  make(map[*memoryWatch]struct{}),
	}
	for i, c := range configs {
		if _, err := m.Create(context.Background(), c); err != nil {
			return nil, fmt.Errorf("config %d: %w", i, err)
		}
	}
	return m, nil
}

// Immediate implements tenant.Immediate.
func (*Memory) Immediate() {}

// Get implements Reader.
func (m *Memory) Get(_ context.Context, id string) (Config, error) {
	m.mu.RLock()
	c, ok := m.tenants[id]
	m.mu.RUnlock()
	if ok {
		return c, nil
	}
	if err := ValidID(id); err != nil {
		return Config{}, err
	}
	return Config{}, notFound(id)
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, c Config) (Config, error) {
	kept, err := Creation(c, time.Now())
	if err != nil {
		return Config{}, err
	}
	if err := ended(ctx, "create", c.ID); err != nil {
		return Config{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.tenants[kept.ID]; ok {
		return Config{}, fmt.Errorf("create tenant %q: %w", kept.ID, ErrExists)
	}
	if _, ok := m.reserved[kept.ID]; ok {
		return Config{}, fmt.Errorf("create tenant %q: its id is reserved since it was deleted: %w", kept.ID, ErrExists)
	}
	m.tenants[kept.ID] = kept
	m.tell(kept.ID)
	return kept, nil
}

// Update implements Store.
func (m *Memory) Update(ctx context.Context, c Config) (Config, error) {
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("update tenant %q: %w", shorten(c.ID), err)
	}
	if err := ended(ctx, "update", c.ID); err != nil {
		return Config{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	has, ok := m.tenants[c.ID]
	if !ok {
		return Config{}, fmt.Errorf("update %w", notFound(c.ID))
	}
	next, err := Change(has, c, time.Now())
	if err != nil {
		return Config{}, err
	}
	m.tenants[c.ID] = next
	m.tell(c.ID)
	return next, nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, after string, limit int) ([]Config, error) {
	limit, err := Page(after, limit)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	ids := slices.Sorted(maps.Keys(m.tenants))
	at, exact := slices.BinarySearch(ids, after)
	if exact {
		at++
	}
	ids = ids[at:min(at+limit, len(ids))]
	page := make([]Config, len(ids))
	for i, id := range ids {
		page[i] = m.tenants[id]
	}
	return page, nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, id string, version uint64) error {
	if err := ValidID(id); err != nil {
		return err
	}
	if err := ended(ctx, "delete", id); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	has, ok := m.tenants[id]
	if !ok {
		return fmt.Errorf("delete %w", notFound(id))
	}
	if err := Removal(has, version); err != nil {
		return err
	}
	delete(m.tenants, id)
	m.reserved[id] = struct{}{}
	m.tell(id)
	return nil
}

func ended(ctx context.Context, verb, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s tenant %q: %w", verb, id, err)
	}
	return nil
}
