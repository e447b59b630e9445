package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/devrev/pairdb/storagenode"
)

// A stage is all that a run has started.
type stage struct {
	out *printer
	dir string
	backends

	postgres, redis server // nil if not our own
	nodes           []*storagenode.Node
	addrs           []string
	audit           audit
	events          events
	app             *app
	follower        *process // another process that uses the cluster throughout
	load            *load
}

// patience bounds what is waited for on a machine that is busy with everything else, too.
const patience = 30 * time.Second

var errPatience = fmt.Errorf("still not so after %v; try again when the machine is less busy", patience)

// wait asks until the answer is yes.
func wait(ctx context.Context, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return context.Cause(ctx)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// close ends every process and server, in the order in which they need each other, and removes their files.
func (s *stage) close() error {
	s.follower.kill()
	s.load.stop()
	s.app.close()
	errs := []error{s.stopNodes(), s.clean()}
	for _, own := range []server{s.postgres, s.redis} {
		if own != nil {
			errs = append(errs, own.Close())
		}
	}
	if s.dir != "" {
		if err := os.RemoveAll(s.dir); err != nil {
			errs = append(errs, fmt.Errorf("%w; remove %s yourself", err, s.dir))
		}
	}
	return errors.Join(errs...)
}
