package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errBusy is what listeners are told when maxLoads are under way.
var errBusy = errors.New("too many questions to the store are unanswered")

// find is Get for what is not at hand.
func (c *Cache) find(ctx context.Context, id string) (Config, error) {
	if err := ValidID(id); err != nil {
		return Config{}, err
	}
	slot := false // whether this call may start a load
	defer func() {
		if slot {
			<-c.slots
		}
	}()
	for {
		a := c.ask(id, slot)
		if a.err != nil {
			return Config{}, a.err
		}
		if s := a.verdict.serve; s != nil {
			c.act(a.verdict)
			return s.config, nil
		}
		if a.flight == nil {
			if err := c.takeSlot(ctx, a.known); err != nil {
				if a.known != nil {
					return c.serveOld(a.known, err), nil
				}
				return Config{}, fmt.Errorf("tenant %q: %w", id, err)
			}
			slot = true
			continue
		}
		if a.started {
			slot = false // the flight gives it back
			c.launch(a.flight)
		}
		if a.known != nil {
			return c.awaitKnown(ctx, a.flight, a.known)
		}
		return c.await(ctx, a.flight)
	}
}

// An asked is what one look under the lock comes to.
type asked struct {
	verdict verdict
	err     error   // there is no such tenant
	flight  *flight // if there is no answer: the one to wait for, if there is one
	started bool    // it is yet to be launched
	known   *entry
}

// ask looks for an answer, and begins a load if it may.
func (c *Cache) ask(id string, mayLoad bool) asked {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var a asked
	e, known := c.order.Get(id)
	if known {
		a.known = e
		if a.verdict = c.judge(e, now); a.verdict.serve != nil {
			c.hit()
			return a
		}
	} else if until, ok := c.unknown.Get(id); ok {
		if now < until {
			c.stats.Unknown++
			return asked{err: notFound(id)}
		}
		c.unknown.Remove(id)
	}
	a.flight = c.flights[id]
	if a.flight == nil {
		if !mayLoad {
			return a
		}
		a.flight, a.started = c.begin(id, now), true
	}
	c.stats.Misses++
	return a
}

// takeSlot waits for leave to start a load: not at all for a known tenant.
func (c *Cache) takeSlot(ctx context.Context, known *entry) error {
	if known != nil {
		select {
		case c.slots <- struct{}{}:
			return nil
		default:
			c.countMiss()
			return errBusy
		}
	}
	if err := ctx.Err(); err != nil {
		c.countMiss()
		return err
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		c.countMiss()
		return ctx.Err()
	case <-c.work.ctx.Done():
		c.countMiss()
		return ErrClosed
	}
}

func (c *Cache) countMiss() {
	c.mu.Lock()
	c.stats.Misses++
	c.mu.Unlock()
}

// await waits for the load of a tenant that is not known.
func (c *Cache) await(ctx context.Context, f *flight) (Config, error) {
	select {
	case <-f.done:
		return f.config, f.err
	case <-ctx.Done():
		return Config{}, fmt.Errorf("tenant %q: %w", f.id, ctx.Err())
	}
}

// awaitKnown waits for the load of a known tenant, until it has taken staleWait.
func (c *Cache) awaitKnown(ctx context.Context, f *flight, e *entry) (Config, error) {
	patience := time.NewTimer(time.Duration(f.began + int64(staleWait) - c.now()))
	defer patience.Stop()
	select {
	case <-f.done:
	case <-patience.C:
		return c.serveOld(e, errSlow), nil
	case <-ctx.Done():
		// It is at hand, so it is served whatever the state of ctx; the store is not to blame.
		return c.serveOld(e, nil), nil
	}
	switch {
	case f.err == nil:
		return f.config, nil
	case errors.Is(f.err, ErrNotFound):
		return Config{}, f.err
	default:
		return c.serveOld(e, f.err), nil
	}
}

// serveOld serves a known tenant past its TTL, also if it was forgotten since.
func (c *Cache) serveOld(e *entry, err error) Config {
	c.mu.Lock()
	stale, tell := c.serveStale(e, c.now(), err)
	config := e.state.Load().config
	c.mu.Unlock()
	if tell {
		c.tellStale(stale)
	}
	return config
}
