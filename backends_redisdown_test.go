//pairdb:needs redis

package pairdb_test

import (
	"fmt"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	idempotencyredis "github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/pairdbtest"
)

// storeTimeout is much less than a write's own deadline of 5 s.
const storeTimeout = 200 * time.Millisecond

// durable are the arguments of a server that keeps what it has answered for.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// redisStore connects as the package says that one should, with one attempt to dial, so that errors come soon
// and name the cause.
func redisStore(tb testing.TB, addr string) *idempotencyredis.Store {
	tb.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: addr, ContextTimeoutEnabled: true, DialerRetries: 1})
	tb.Cleanup(func() { _ = client.Close() })
	store, err := idempotencyredis.New(client)
	require.NoError(tb, err)
	return store
}

// keyedClient opens a client on a cluster whose idempotency records are in Redis.
func keyedClient(t *testing.T, c *pairdbtest.Cluster, r *testservers.Redis, opts ...pairdb.IdempotencyOption) (*pairdb.Client, *heard) {
	t.Helper()
	h := newHeard()
	opts = append(opts, pairdb.IdempotencyTimeout(storeTimeout))
	client := c.Client(t, pairdb.WithIdempotency(redisStore(t, r.Addr()), opts...), pairdb.WithHooks(h))
	require.NoError(t, client.Ready(t.Context()))
	return client, h
}

type redisOutage struct {
	how        string
	begin, end func() error
}

func redisOutages(r *testservers.Redis) []redisOutage {
	return []redisOutage{{"stopped", r.Stop, r.Start}, {"killed", r.Kill, r.Start}, {"frozen", r.Freeze, r.Thaw}}
}

func TestWhileRedisIsAwayWritesWithAKeyReachNoNodeAndOthersAreNotTouched(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	r := testservers.NewRedis(t, durable...)
	cluster := pairdbtest.New(t, 3)
	client, h := keyedClient(t, cluster, r)
	shop := client.Tenant("shop")
	for _, away := range redisOutages(r) {
		before := "before " + away.how
		first, err := shop.Put(t.Context(), before, []byte("v"), key(before))
		require.NoError(t, err)
		require.NoError(t, away.begin())

		for name, call := range keyedWrites(t, shop) {
			k := away.how + " " + name
			began := time.Now()
			_, err := call(k)
			took := time.Since(began)
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
			require.ErrorIs(t, err, pairdb.ErrUnavailable)
			require.True(t, pairdb.Retryable(err))
			require.Less(t, took, pairdb.DefaultTimeout, "bounded by IdempotencyTimeout")
			require.Empty(t, dots(cluster, k))
			require.Empty(t, h.onceEvents(k))
			t.Logf("%s: a %s with a key, after %v: %v", away.how, name, took.Round(time.Millisecond), err)
		}
		const plain = 200
		began := time.Now()
		for i := range plain {
			_, err := shop.Put(t.Context(), fmt.Sprint("plain ", i), []byte(away.how))
			require.NoError(t, err)
		}
		t.Logf("%s: %d of %d writes without a key succeeded in %v", away.how, plain, plain, time.Since(began).Round(time.Millisecond))

		require.NoError(t, away.end())
		for name, call := range keyedWrites(t, shop) {
			k := away.how + " " + name
			eventually(t, "Redis is back", func() bool { _, err := call(k); return err == nil })
			again, err := call(k)
			require.NoError(t, err)
			require.True(t, again.Duplicate)
			require.Len(t, dots(cluster, k), 1)
		}
		again, err := shop.Put(t.Context(), before, []byte("v"), key(before))
		require.NoError(t, err)
		require.True(t, again.Duplicate, "its record outlived the server")
		require.Equal(t, first.Dot, again.Dot)
		require.Len(t, dots(cluster, before), 1)
	}
	require.Zero(t, client.Stats().Unknown)
}

// keyedWrites are the ways to write under an idempotency key, which is the key's own name.
func keyedWrites(t *testing.T, shop *pairdb.Tenant) map[string]func(k string) (pairdb.Receipt, error) {
	t.Helper()
	return map[string]func(k string) (pairdb.Receipt, error){
		"put": func(k string) (pairdb.Receipt, error) { return shop.Put(t.Context(), k, []byte("v"), key(k)) },
		"put without context": func(k string) (pairdb.Receipt, error) {
			return shop.Put(t.Context(), k, []byte("v"), key(k), pairdb.NoContext())
		},
		"delete": func(k string) (pairdb.Receipt, error) { return shop.Delete(t.Context(), k, key(k)) },
		"update": func(k string) (pairdb.Receipt, error) {
			return shop.Update(t.Context(), k, func(o pairdb.Object) ([]byte, error) { return append(o.Value, 'x'), nil }, key(k))
		},
		"put of many": func(k string) (pairdb.Receipt, error) {
			r := shop.PutMany(t.Context(), []pairdb.Item{{Key: k, Value: []byte("v")}}, key(k))
			return r[0].Receipt, r.FirstErr()
		},
	}
}

func TestAClientThatFailsOpenWritesWhileRedisIsAwayAndSaysThatItIsUnprotected(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	r := testservers.NewRedis(t, durable...)
	cluster := pairdbtest.New(t, 3)
	client, h := keyedClient(t, cluster, r, pairdb.FailOpen())
	shop := client.Tenant("shop")
	unprotected := uint64(0)
	for _, away := range redisOutages(r) {
		before := "before " + away.how
		first, err := shop.Put(t.Context(), before, []byte("v"), key(before))
		require.NoError(t, err)
		require.NoError(t, away.begin())
		for name, call := range keyedWrites(t, shop) {
			k := away.how + " " + name
			began := time.Now()
			receipt, err := call(k)
			took := time.Since(began)
			require.NoError(t, err)
			require.False(t, receipt.Duplicate)
			require.Less(t, took, pairdb.DefaultTimeout, "bounded by IdempotencyTimeout")
			require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyUnprotected}, h.onceEvents(k))
			require.Len(t, dots(cluster, k), 1)
			unprotected++
			t.Logf("%s: a %s with a key went on without after %v", away.how, name, took.Round(time.Millisecond))
		}
		require.Equal(t, unprotected, client.Stats().Unprotected)

		require.NoError(t, away.end())
		var again pairdb.Receipt
		eventually(t, "Redis is back", func() bool {
			again, err = shop.Put(t.Context(), before, []byte("v"), key(before))
			require.NoError(t, err)
			events := h.onceEvents(before)
			unprotected = client.Stats().Unprotected
			return events[len(events)-1] == pairdb.KeyDuplicate
		})
		require.Equal(t, first.Dot, again.Dot)
	}
}

// Redis dies after it has recorded the intent, and before it is told of the result.
func TestAWriteWhoseResultCannotBeRecordedSucceedsAndItsRepetitionIsADuplicate(t *testing.T) {
	r := testservers.NewRedis(t, durable...)
	cluster := pairdbtest.New(t, 3)
	client, h := keyedClient(t, cluster, r)
	shop := client.Tenant("shop")
	for _, away := range redisOutages(r) {
		k := away.how
		var holds []*pairdbtest.Hold
		for _, n := range cluster.Nodes() {
			holds = append(holds, n.HoldWrite(1, pairdbtest.BeforeApply))
		}
		var first pairdb.Receipt
		var err error
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			first, err = shop.Put(t.Context(), k, []byte("v"), key(k))
		}()
		for _, hold := range holds {
			<-hold.Reached()
		}
		require.NoError(t, away.begin())
		for _, hold := range holds {
			hold.Release()
		}
		<-ended
		require.NoError(t, err)
		require.False(t, first.Duplicate)
		require.Equal(t, []pairdb.IdempotencyEvent{pairdb.KeyUnfinished}, h.onceEvents(k))

		require.NoError(t, away.end())
		var again pairdb.Receipt
		eventually(t, "Redis is back", func() bool {
			again, err = shop.Put(t.Context(), k, []byte("v"), key(k))
			return err == nil
		})
		require.True(t, again.Duplicate)
		require.Equal(t, first.Dot, again.Dot)
		require.Len(t, dots(cluster, k), 1)
		t.Logf("%s before the result: %v", away.how, h.onceEvents(k))
	}
}
