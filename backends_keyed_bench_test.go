//pairdb:needs redis

package pairdb_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/pairdbtest"
)

// BenchmarkPutWithAKey compares puts under idempotency keys with plain ones. An operation is a round: puts of each kind
// in turns, so that the ratio holds where the machine's speed drifts. Redis keeps its records on disk, or in memory alone.
func BenchmarkPutWithAKey(b *testing.B) {
	for _, disk := range []struct {
		name string
		args []string
	}{{"memory", nil}, {"fsync-always", durable}} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("redis=%s/callers=%d", disk.name, callers), func(b *testing.B) {
				server := testservers.NewRedis(b, disk.args...)
				client := pairdbtest.New(b, 3).Client(b, pairdb.WithIdempotency(redisStore(b, server.Addr())))
				require.NoError(b, client.Ready(b.Context()))
				r := keyedRounds{shop: client.Tenant("shop"), callers: callers, each: 16}
				r.kind(b, r.plain) // connections, scripts and so on
				r.kind(b, r.keyed)
				var plain, keyed time.Duration
				for b.Loop() {
					plain += r.kind(b, r.plain)
					keyed += r.kind(b, r.keyed)
				}
				puts := float64(b.N * callers * r.each)
				b.ReportMetric(puts/plain.Seconds(), "plain/s")
				b.ReportMetric(puts/keyed.Seconds(), "keyed/s")
				b.ReportMetric(keyed.Seconds()/plain.Seconds(), "times-plain")
			})
		}
	}
}

// keyedRounds puts values without a context: a clock read and a write, and with a key a look and two records besides.
type keyedRounds struct {
	shop    *pairdb.Tenant
	callers int
	each    int // puts of one caller in a round
	tokens  atomic.Int64
}

func (r *keyedRounds) plain(key string) error {
	_, err := r.shop.Put(context.Background(), key, make([]byte, 100))
	return err
}

func (r *keyedRounds) keyed(key string) error {
	token := pairdb.WithIdempotencyKey(fmt.Sprint(r.tokens.Add(1)))
	_, err := r.shop.Put(context.Background(), key, make([]byte, 100), token)
	return err
}

// kind has all callers put.
func (r *keyedRounds) kind(b *testing.B, put func(key string) error) time.Duration {
	b.Helper()
	began := time.Now()
	var all sync.WaitGroup
	for c := range r.callers {
		all.Go(func() {
			for i := range r.each {
				if err := put(fmt.Sprintf("key-%d-%d", c, i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(began)
}
