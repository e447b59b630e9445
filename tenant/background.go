package tenant

import (
	"context"
	"sync"
)

// background runs a Cache's goroutines.
type background struct {
	ctx    context.Context // ends when the cache is closed
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool           // guarded by mu
	wg     sync.WaitGroup // added to under mu, while closed is false
}

func newBackground() *background {
	ctx, cancel := context.WithCancel(context.Background())
	return &background{ctx: ctx, cancel: cancel}
}

// run starts f, unless the cache is closed. f ends soon after its context has.
func (b *background) run(f func(ctx context.Context)) (started bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.wg.Go(func() { f(b.ctx) })
	return true
}

func (b *background) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.cancel()
	b.wg.Wait()
}
