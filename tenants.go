package pairdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/devrev/pairdb/tenant"
)

// tenants is how requests find out how a tenant is replicated.
type tenants struct {
	reader    tenant.Reader
	immediate bool          // reader never waits, so that its calls need no deadline
	atHand    tenant.AtHand // reader, if it can say what it has in memory
	owned     *tenant.Cache // made by the client, which closes it
	stop      func()        // ends what tells of stale tenants
}

// newTenants puts a cache before a reader that has none.
func newTenants(r tenant.Reader, log *slog.Logger) (*tenants, error) {
	t := &tenants{reader: r, stop: func() {}}
	if _, t.immediate = r.(tenant.Immediate); t.immediate {
		return t, nil
	}
	if t.atHand, _ = r.(tenant.AtHand); t.atHand == nil {
		cache, err := tenant.NewCache(r, tenant.LogTo(log))
		if err != nil {
			return nil, err
		}
		t.reader, t.atHand, t.owned = cache, cache, cache
	}
	return t, nil
}

// tellStale calls tell whenever the cache serves what it could not read again.
func (t *tenants) tellStale(tell func(tenant.Stale)) {
	if n, ok := t.reader.(interface {
		NotifyStale(func(tenant.Stale)) (stop func())
	}); ok {
		t.stop = n.NotifyStale(tell)
	}
}

func (t *tenants) close() {
	t.stop()
	if t.owned != nil {
		_ = t.owned.Close()
	}
}

// find returns the tenant's config, and whether that was at hand, so that it did not wait.
func (t *tenants) find(ctx context.Context, id string, deadline time.Time) (c tenant.Config, atHand bool, err error) {
	if t.atHand != nil {
		if c, ok := t.atHand.AtHand(id); ok {
			return c, true, nil
		}
	}
	if !t.immediate && !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	c, err = t.reader.Get(ctx, id)
	switch {
	case errors.Is(err, tenant.ErrNotFound):
		err = fmt.Errorf("%w %q", ErrUnknownTenant, id)
	case err != nil:
		err = fmt.Errorf("look up tenant: %w", &kindError{kind: ErrUnavailable, err: foreignError{err}})
	}
	return c, t.immediate, err
}

// Tenants returns the tenants for programs that manage them. Changes go through the
// client's cache, so that its next request sees them; other processes see them when their
// caches are told, or when an entry is over. Where WithTenants was given a reader
// that is no tenant.Store, all but Get is tenant.ErrReadOnly.
func (c *Client) Tenants() tenant.Store {
	if s, ok := c.tenants.reader.(tenant.Store); ok {
		return s
	}
	return readOnly{c.tenants.reader}
}

// readOnly is a Store of tenants that are managed elsewhere.
type readOnly struct{ tenant.Reader }

func (readOnly) Create(context.Context, tenant.Config) (tenant.Config, error) {
	return tenant.Config{}, fmt.Errorf("create tenant: %w", tenant.ErrReadOnly)
}

func (readOnly) Update(context.Context, tenant.Config) (tenant.Config, error) {
	return tenant.Config{}, fmt.Errorf("update tenant: %w", tenant.ErrReadOnly)
}

func (readOnly) List(context.Context, string, int) ([]tenant.Config, error) {
	return nil, fmt.Errorf("list tenants: %w", tenant.ErrReadOnly)
}

func (readOnly) Delete(context.Context, string, uint64) error {
	return fmt.Errorf("delete tenant: %w", tenant.ErrReadOnly)
}
