package tenant

import (
	"context"
	"errors"
	"fmt"
)

// maxLoads bounds the loads that Gets have started and that have not ended. Past it a Get of an
// unknown tenant waits for its turn, and a known one is served as it is. It is the most
// connections that a program is likely to allow its pool.
const maxLoads = 64

// A flight is one load, which all who ask for the tenant meanwhile share. It is in
// Cache.flights until it ends, or until it is overtaken:
//
//	load begins          it reads version 1
//	                     version 2 is written, and the cache is told so
//	a second load begins it reads version 2, and is kept
//	first load ends      with version 1, or with "not found": not kept
//
// So there is one load of a tenant at a time, beside those that were overtaken.
type flight struct {
	id    string
	began int64
	done  chan struct{} // closed when config and err are set

	overtaken overtaken // guarded by the Cache's mu

	config Config
	err    error
}

type overtaken uint8

const (
	notOvertaken overtaken = iota
	byAny                  // something may have changed, of whatever tenant
	byChange               // the tenant itself was changed
)

// begin notes that a load is under way. It needs mu.
func (c *Cache) begin(id string, now int64) *flight {
	f := &flight{id: id, began: now, done: make(chan struct{})}
	c.flights[id] = f
	c.stats.Loads++
	if e, known := c.order.Peek(id); known {
		e.told = false
	}
	return f
}

// overtake has the load of id that is under way, if there is one, be for those alone who wait
// for it already. It needs mu.
func (c *Cache) overtake(id string, why overtaken) {
	if f := c.late[id]; f != nil { // it is older than whatever happens
		f.overtaken = byChange
		delete(c.late, id)
	}
	if f := c.flights[id]; f != nil {
		f.overtaken = why
		delete(c.flights, id)
		if why == byAny {
			c.late[id] = f
		}
	}
}

// launch loads on a goroutine of the cache's own, whatever becomes of who asked, and then gives a slot back.
func (c *Cache) launch(f *flight) {
	c.startWatch()
	started := c.work.run(func(ctx context.Context) {
		c.load(ctx, f)
		<-c.slots
	})
	if !started {
		<-c.slots
		_ = c.settle(f, Config{}, ErrClosed)
	}
}

// load asks the store and settles f.
func (c *Cache) load(closing context.Context, f *flight) {
	ctx, cancel := context.WithTimeout(closing, c.cfg.loadTimeout)
	defer cancel()
	config, err := c.reader.Get(ctx, f.id)
	var wrong error // with an answer that cannot be right
	switch {
	case err == nil:
		err = checkLoaded(f.id, config)
		wrong = err
	case closing.Err() != nil:
		err = ErrClosed
	case errors.Is(err, ErrNotFound):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// The load's context, not that of who waits: it is not wrapped.
		err = fmt.Errorf("the store has not answered within %v: %v", c.cfg.loadTimeout, err) //nolint:errorlint // see above
	}
	if disbelief := c.settle(f, config, err); disbelief != nil {
		wrong = disbelief
	}
	if wrong != nil {
		c.cfg.log.Warn("tenant: the store's answer is not believed; known tenants go on as they were last seen", "tenant", f.id, "error", wrong)
	}
}

// checkLoaded holds invariant 1 against a Reader that does not.
func checkLoaded(id string, config Config) error {
	if config.ID != id {
		return fmt.Errorf("the store answers for %q", shorten(config.ID))
	}
	if err := config.Validate(); err != nil {
		return fmt.Errorf("the store answers with what no tenant can be: %v", err) //nolint:errorlint // the caller's input is not what is invalid
	}
	return nil
}

// settle takes in what a load came to, and wakes who waits for it.
// The error is why it does not believe a config that the store gave.
func (c *Cache) settle(f *flight, config Config, err error) (disbelief error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	now := c.now()
	if f.overtaken == notOvertaken {
		delete(c.flights, f.id)
	}
	if c.late[f.id] == f {
		delete(c.late, f.id)
	}
	e, known := c.order.Peek(f.id)
	if err == nil && known && f.overtaken == notOvertaken {
		err = follows(e.state.Load().config, config)
		disbelief = err
	}
	switch {
	case err == nil:
		f.config = c.keepLoaded(f, config)
	case errors.Is(err, ErrNotFound):
		f.err = notFound(f.id)
		if f.overtaken == notOvertaken {
			c.gone(f.id, now)
		}
	default:
		f.err = fmt.Errorf("tenant %q: load: %w", f.id, err)
		c.stats.LoadErrors++
		if known && f.overtaken == notOvertaken {
			e.fail(now, err)
		}
	}
	return disbelief
}

// keepLoaded holds what a load came to as far as it may, and returns what those get who wait for it.
// It needs mu.
func (c *Cache) keepLoaded(f *flight, config Config) Config {
	if f.overtaken == notOvertaken {
		c.keep(config, f.began)
		return config
	}
	if e, known := c.order.Peek(f.id); known {
		e.raise(config)
		return e.state.Load().config
	}
	if _, unknown := c.unknown.Peek(f.id); f.overtaken == byAny && !unknown {
		c.keep(config, f.began).due()
	}
	return config
}
