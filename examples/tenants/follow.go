package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/devrev/pairdb"
)

// followWorker reads a session all the time, and tells at which level whenever that changes.
// Its tenants have the default time to live of a minute: what it sees sooner, it was told.
func followWorker(ctx context.Context, b backends, out *say) error {
	var levels levels
	a, err := openApp(ctx, b, time.Minute, openOption{hooks: []pairdb.Hook{&levels}})
	if err != nil {
		return err
	}
	defer a.close()
	var did event
	last := ""
	for ctx.Err() == nil {
		_, err := a.client.Tenant(sessions).Get(ctx, "user/0")
		switch {
		case ctx.Err() != nil:
		case err != nil && !errors.Is(err, pairdb.ErrNotFound):
			did.Failed++
			did.Err = err.Error()
			did.Calls++
		default:
			did.Calls++
		}
		if level := levels.last(); level != last {
			if last == "" {
				out.event(event{What: "ready"})
			}
			last = level
			out.event(event{What: "level", Level: level})
		}
		_ = sleep(ctx, time.Millisecond)
	}
	did.What = "done"
	out.event(did)
	return nil
}

// levels is a hook that keeps the level of the last request.
type levels struct {
	mu    sync.Mutex
	level string // guarded by mu
}

// OnRequestEnd implements pairdb.HookRequestEnd.
func (l *levels) OnRequestEnd(_ context.Context, e pairdb.RequestEnd) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.level = e.Level.String()
}

func (l *levels) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.level
}
