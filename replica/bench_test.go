package replica

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/devrev/pairdb/storagepb"
)

// echo runs b.N reads through one Conn to a node, in this process, that answers at once.
func echo(b *testing.B, n *scripted, callers int, change func(*Config)) {
	c := n.connect(b, change)
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for i := range callers {
		share := b.N / callers
		if i < b.N%callers {
			share++
		}
		wg.Go(func() {
			done := newBox(1)
			op := read(done)
			for range share {
				op.Deadline = time.Now().Add(5 * time.Second)
				if err := c.Send(op); err != nil {
					b.Error(err)
					return
				}
				if r := <-done.results; r.Err != nil || r.Status != storagepb.Status_OK {
					b.Error(r.Err, r.Status)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	h := c.Health()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64(h.Sent)/float64(max(h.Batches, 1)), "ops/batch")
}

func BenchmarkConnOverMemory(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			n := newScripted()
			n.start()
			echo(b, n, callers, nil)
		})
	}
}

func BenchmarkConnOverTCP(b *testing.B) {
	for _, callers := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			n := newScripted()
			addr := n.listen(b)
			echo(b, n, callers, func(cfg *Config) {
				cfg.Addr = addr
				cfg.Dialer = func(ctx context.Context, addr string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", addr)
				}
			})
		})
	}
}
