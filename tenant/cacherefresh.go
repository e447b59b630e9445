package tenant

import (
	"context"
	"time"
)

const (
	// maxWorkers bounds the loads in the background: enough for 10,000 tenants a minute from a
	// store that takes 40 ms, and few enough to leave it to others.
	maxWorkers = 8

	// maxQueue bounds the tenants that wait for one. Past it a refresh begins when the tenant is asked for
	// again.
	maxQueue = 1024

	// sweepPace is the least time from one load to the next when all tenants are due: 10,000
	// of them take 10 s, and the store meets 1,000 questions a second from each process.
	sweepPace = time.Millisecond

	// maxSweepErrors is how many loads may fail before the store is taken to be down. It is more than
	// the few tenants whose rows may be damaged.
	maxSweepErrors = 16
)

// refresh puts a tenant that is marked as queued in the queue.
func (c *Cache) refresh(id string) {
	select {
	case c.queue <- id:
		c.startWorker()
	default:
		c.mu.Lock()
		if e, known := c.order.Peek(id); known {
			e.queued = false
		}
		c.mu.Unlock()
	}
}

func (c *Cache) startWorker() {
	c.mu.Lock()
	start := c.workers < maxWorkers
	if start {
		c.workers++
	}
	c.mu.Unlock()
	if start && !c.work.run(c.empty) {
		c.mu.Lock()
		c.workers--
		c.mu.Unlock()
	}
}

// empty refreshes what is in the queue until there is nothing.
//
// Nothing stays in the queue without a worker: who puts something in looks for a worker after
// that, and a worker that ends has looked at the queue under the same lock.
func (c *Cache) empty(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-c.queue:
			c.reload(ctx, id)
			continue
		default:
		}
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.workers--
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
	}
}

// reload loads a known tenant, unless it is fresh or being loaded.
func (c *Cache) reload(ctx context.Context, id string) {
	now := c.now()
	var f *flight
	c.mu.Lock()
	if e, known := c.order.Peek(id); known {
		e.queued = false
		if now >= e.state.Load().refreshAt && c.flights[id] == nil {
			f = c.begin(id, now)
		}
	}
	c.mu.Unlock()
	if f != nil {
		c.load(ctx, f)
	}
}

// sweepState says whether all tenants are being refreshed. It is guarded by the Cache's mu.
type sweepState struct{ running, again bool }

// startSweep has all known tenants refreshed that are due.
func (c *Cache) startSweep() {
	c.mu.Lock()
	c.sweeping.again = true
	start := !c.sweeping.running
	c.sweeping.running = true
	c.mu.Unlock()
	if start {
		c.work.run(c.sweep)
	}
}

func (c *Cache) sweep(ctx context.Context) {
	pace := time.NewTicker(sweepPace)
	defer pace.Stop()
	for {
		c.mu.Lock()
		c.sweeping.running = c.sweeping.again
		c.sweeping.again = false
		if !c.sweeping.running {
			c.mu.Unlock()
			return
		}
		ids := c.order.Keys()
		limit := c.stats.LoadErrors + maxSweepErrors
		c.mu.Unlock()
		for i := len(ids) - 1; i >= 0; i-- { // who was asked for last comes first
			ask, goOn := c.sweepOne(ids[i], limit)
			if !goOn {
				break // the store is down: the rest are due, and will be asked for when they are used
			}
			if !ask {
				continue
			}
			select {
			case c.queue <- ids[i]:
				c.startWorker()
			case <-ctx.Done():
				return
			}
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

// sweepOne marks a tenant that is due as queued, and says whether loads still succeed.
func (c *Cache) sweepOne(id string, limit uint64) (ask, goOn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stats.LoadErrors >= limit {
		return false, false
	}
	e, known := c.order.Peek(id)
	if !known || e.queued || c.flights[id] != nil || c.now() < e.state.Load().refreshAt {
		return false, true
	}
	e.queued = true
	return true, true
}
