package tenant

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	// minRewatch and maxRewatch bound how long after a watch broke the next one begins: it doubles
	// each time that one breaks before it listens, less up to a half by chance.
	minRewatch = 100 * time.Millisecond
	maxRewatch = 10 * time.Second
)

// startWatch begins to watch, if the Reader can be watched. It is called before the first load, so that what
// was loaded before the watch listened is covered by its "anything may have changed".
func (c *Cache) startWatch() {
	c.watch.Do(func() {
		if w, ok := c.reader.(Watcher); ok {
			c.work.run(func(ctx context.Context) { c.keepWatching(ctx, w) })
		}
	})
}

func (c *Cache) keepWatching(ctx context.Context, w Watcher) {
	wait := minRewatch
	for {
		var listened atomic.Bool
		err := w.Watch(ctx, func(id string) {
			listened.Store(true)
			c.changed(id)
		})
		if ctx.Err() != nil {
			return
		}
		if listened.Load() {
			wait = minRewatch
		}
		c.cfg.log.Warn("tenant: the watch of the store broke; changes show when configs are refreshed", slog.Any("error", err))
		select {
		case <-time.After(wait - rand.N(wait/2)):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, maxRewatch)
	}
}

// changed takes in what a Watcher tells.
func (c *Cache) changed(id string) {
	if id == "" {
		c.changedAny()
		return
	}
	c.mu.Lock()
	c.overtake(id, byChange)
	c.unknown.Remove(id)
	if w := c.writes[id]; w != nil {
		w.told++
	}
	e, known := c.order.Peek(id)
	queue := known && !e.queued
	if known {
		e.due()
		e.queued = true
	}
	c.mu.Unlock()
	if queue {
		c.refresh(id)
	}
}

// changedAny makes all that is known due, and forgets who is no tenant.
func (c *Cache) changedAny() {
	c.mu.Lock()
	for id := range c.flights {
		c.overtake(id, byAny)
	}
	for _, w := range c.writes {
		w.told++
	}
	c.unknown.Purge()
	for _, e := range c.order.Values() {
		e.due()
	}
	c.mu.Unlock()
	c.startSweep()
}
