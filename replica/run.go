package replica

import (
	"errors"
	"time"
)

// run connects, and connects again, until the Conn is cut. It is the only caller of OnChange.
func (c *Conn) run() {
	retry := backoff{rand: c.cfg.Rand}
	told := *c.status.Load()
	for c.ctx.Err() == nil {
		l, err := c.connect()
		if err == nil {
			up := c.now()
			c.goUp(l)
			for open := true; open; {
				c.tell(&told)
				select {
				case <-l.broken:
					open = false
				case <-c.changed:
				case <-c.ctx.Done():
					open = false
				}
			}
			inOrder := c.goDown(l, ErrClosed) // unless it is down already
			l.close(inOrder)
			retry.lived(time.Duration(c.now() - up))
			err = c.status.Load().err
		} else {
			c.goDown(nil, err)
		}
		c.pause(retry.next(err), &told)
	}
	c.goDown(nil, ErrClosed)
}

// pause waits before the next attempt.
func (c *Conn) pause(d time.Duration, told *status) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for c.ctx.Err() == nil {
		c.tell(told)
		select {
		case <-timer.C:
			return
		case <-c.changed:
		case <-c.ctx.Done():
		}
	}
}

// tell calls OnChange if there is news. Closing is none: its caller knows.
func (c *Conn) tell(told *status) {
	s := *c.status.Load()
	if c.ctx.Err() != nil || s.state == told.state && s.storeID == told.storeID && s.amnesiac == told.amnesiac {
		return
	}
	*told = s
	log := c.cfg.Logger.With("node", c.cfg.Node, "addr", c.cfg.Addr)
	switch {
	case s.state == Down:
		log.Warn("node is down", "error", s.err)
	case s.amnesiac:
		log.Warn("node has another store than the accepted one", "store", s.storeID)
	default:
		log.Info("node is up", "store", s.storeID, "clock_offset", s.clockOffset, "transport", s.transport)
	}
	if c.cfg.OnChange != nil {
		c.cfg.OnChange(c.Health())
	}
}

// goUp makes l the link.
func (c *Conn) goUp(l *link) {
	c.mu.Lock()
	if c.store == 0 {
		c.store = l.store
	}
	c.link, c.down = l, nil
	c.heard.Store(c.now())
	c.status.Store(&status{
		state: Up, since: time.Now(),
		storeID: l.store, amnesiac: l.store != c.store,
		synced: l.welcome.GetSynced(), epoch: l.welcome.GetEpoch(),
		clockOffset: l.offset, roundTrip: l.roundTrip, limits: l.welcome.GetLimits(), transport: l.by.name(),
	})
	c.mu.Unlock()
	c.connects.Add(1)
	l.serve()
}

// goDown says that l broke, or with nil that an attempt failed, and completes all operations
// at once: those handed over with ErrBroken, the others with ErrDown, and all with
// ErrClosed after Close has cut. It does nothing and returns false if l is no
// longer the link.
func (c *Conn) goDown(l *link, cause error) bool {
	c.mu.Lock()
	if c.link != l {
		c.mu.Unlock()
		return false
	}
	s := *c.status.Load()
	if s.state != Down {
		s.state, s.since = Down, time.Now()
	}
	s.err = c.nodeError(ErrDown, cause)
	c.link, c.down = nil, s.err
	c.status.Store(&s)
	brokenErr := c.nodeError(ErrBroken, cause)
	if errors.Is(cause, ErrClosed) {
		brokenErr, c.down = ErrClosed, ErrClosed
	}
	list := c.takeAll(brokenErr, c.down)
	c.mu.Unlock()
	if l != nil {
		close(l.broken)
		l.cancel(nil)
	}
	complete(list)
	return true
}

// takeAll takes out every operation.
func (c *Conn) takeAll(brokenErr, downErr error) []ended {
	now := c.now()
	var list []ended
	for _, ops := range c.lists() {
		for op := ops.head; op != nil; op = ops.head {
			r := Result{Err: downErr, Latency: time.Duration(now - op.accepted)}
			if op.place == handed {
				r.Err, r.Handed = brokenErr, true
				c.broken.Add(1)
			}
			c.takeOut(op)
			list = append(list, ended{op, r})
		}
	}
	c.owedSince = 0
	c.small.ready.Broadcast()
	c.bulk.ready.Broadcast()
	c.settle()
	return list
}

func (c *Conn) nodeError(kind, cause error) error {
	return &nodeError{string(c.cfg.Node), c.cfg.Addr, kind, cause}
}
