package peers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/devrev/pairdb/bench/child"
)

const startLimit = 30 * time.Second // of a peer's servers together, on a busy machine

// startProcesses runs the server of that name as many times as there are args, all at
// once since some wait for the others, and returns what each said: its address. If one fails, none runs.
func startProcesses(ctx context.Context, env Env, name string, args ...[]string) (addrs []string, stop func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	children := make([]*child.Child, len(args))
	errs := make([]error, len(args))
	var started sync.WaitGroup
	for i, a := range args {
		started.Go(func() {
			children[i], errs[i] = child.Start(ctx, env.Log, []string{ServeEnv + "=" + name}, a)
			if errs[i] != nil {
				cancel() // the others may wait for this one
			}
		})
	}
	started.Wait()
	stop = func() {
		var ended sync.WaitGroup
		for _, c := range children {
			if c != nil {
				ended.Go(c.Stop)
			}
		}
		ended.Wait()
	}
	if err := errors.Join(errs...); err != nil {
		stop()
		return nil, nil, fmt.Errorf("peers: start %s: %w", name, err)
	}
	for _, c := range children {
		addrs = append(addrs, c.Line)
	}
	return addrs, stop, nil
}
