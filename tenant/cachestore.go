package tenant

import (
	"context"
	"errors"
	"fmt"
)

// ownWrites are the changes of one tenant that are under way through the cache. Guarded by the Cache's mu.
type ownWrites struct {
	running int
	told    int // how often a Watcher told of a change of the tenant
	gone    int // how often there was found to be no such tenant
}

// Create implements Store. It is ErrReadOnly if the Reader is no Store.
func (c *Cache) Create(ctx context.Context, config Config) (Config, error) {
	return c.write("create", config.ID, func(s Store) (Config, error) { return s.Create(ctx, config) })
}

// Update implements Store. It is ErrReadOnly if the Reader is no Store. After an ErrVersion the next Get asks the store, so
// that to get, decide and update again makes headway.
func (c *Cache) Update(ctx context.Context, config Config) (Config, error) {
	return c.write("update", config.ID, func(s Store) (Config, error) { return s.Update(ctx, config) })
}

// Delete implements Store. It is ErrReadOnly if the Reader is no Store.
func (c *Cache) Delete(ctx context.Context, id string, version uint64) error {
	_, err := c.write("delete", id, func(s Store) (Config, error) {
		return Config{}, s.Delete(ctx, id, version)
	})
	return err
}

// List implements Store: it asks the store each time, and what it answers is not kept. It is
// ErrReadOnly if the Reader is no Store.
func (c *Cache) List(ctx context.Context, after string, limit int) ([]Config, error) {
	s, err := c.store("list")
	if err != nil {
		return nil, err
	}
	return s.List(ctx, after, limit)
}

func (c *Cache) store(verb string) (Store, error) {
	s, ok := c.reader.(Store)
	if !ok {
		return nil, fmt.Errorf("%s tenants: %w", verb, ErrReadOnly)
	}
	if c.work.ctx.Err() != nil {
		return nil, fmt.Errorf("%s tenants: %w", verb, ErrClosed)
	}
	return s, nil
}

// write does a change and takes in what came of it.
func (c *Cache) write(verb, id string, do func(Store) (Config, error)) (Config, error) {
	s, err := c.store(verb)
	if err != nil {
		return Config{}, err
	}
	if ValidID(id) != nil {
		return do(s) // refuses it
	}
	c.startWatch()

	c.mu.Lock()
	w := c.writes[id]
	if w == nil {
		w = &ownWrites{}
		c.writes[id] = w
	}
	w.running++
	before, began := *w, c.now()
	c.mu.Unlock()

	kept, err := do(s)

	c.mu.Lock()
	refresh := c.settleWrite(id, wrote{
		deleted: verb == "delete", config: kept, err: err, began: began,
		told: w.told != before.told, gone: w.gone != before.gone,
	})
	if w.running--; w.running == 0 {
		delete(c.writes, id)
	}
	c.mu.Unlock()
	if refresh {
		c.refresh(id)
	}
	return kept, err
}

// wrote is what a change came to, and what happened to the tenant meanwhile.
type wrote struct {
	deleted    bool   // it was a Delete
	config     Config // else: what came back
	err        error
	began      int64
	told, gone bool
}

// settleWrite holds what came back from the store, or has the next Get ask. refresh says that the tenant
// is to be put in the queue. It needs mu. What happened between the store's doing it and its answer decides:
//
//	a later change comes back first     its version is higher, and stays
//	a Delete comes back first           the tenant is gone, and stays so
//	a load that began before a Create   ends with "not found": the next Get asks
//	a change is told                    it may be a later one: held, and refreshed at once
func (c *Cache) settleWrite(id string, w wrote) (refresh bool) {
	if errors.Is(w.err, ErrInvalid) || errors.Is(w.err, ErrImmutable) {
		return false // nothing was changed, and what is held may well be right
	}
	c.overtake(id, byChange)
	e, known := c.order.Peek(id)
	switch usable := w.err == nil && (w.deleted || checkLoaded(id, w.config) == nil); {
	case usable && w.deleted:
		c.gone(id, c.now()) // for good: the id stays reserved
		return false
	case usable && known && w.config.Version < e.state.Load().config.Version:
		return false // another change, a later one, came back first
	case usable && (known && follows(e.state.Load().config, w.config) == nil || !known && !w.gone):
		e = c.keep(w.config, w.began)
	default:
		// It is not known what the store has, or whether that was so before or after someone found no
		// such tenant: the next Get asks. A known tenant is kept for as long as the store is down.
		c.unknown.Remove(id)
		if known {
			if errors.Is(w.err, ErrVersion) {
				e.failures = 0 // the store is up
			}
			e.expire()
		}
		return false
	}
	if !w.told || e.queued {
		return false
	}
	// Told while it was being made: of itself, or of a later change by another process.
	e.due()
	e.queued = true
	return true
}
