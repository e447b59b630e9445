//pairdb:needs postgres
//pairdb:needs redis

package pairdb_test

import (
	"context"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
	topologypg "github.com/devrev/pairdb/topology/postgres"
)

// running are the goroutines that the client and its adapters have started.
func running() (own []string) {
	all := make([]byte, 4<<20)
	for stack := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if startedByUs.MatchString(stack) {
			own = append(own, stack)
		}
	}
	return own
}

var startedByUs = regexp.MustCompile(`created by github\.com/devrev/pairdb(/tenant|/topology|/replica|/internal/postgres)?(/postgres)?\.`)

func TestOpenReturnsWithItsContextWhilePostgreSQLIsFrozenAndLeavesNothing(t *testing.T) {
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	b := newBackends(t, url)
	pool := newPool(t, url)
	require.NoError(t, pool.Ping(t.Context()))
	all, own := goleak.IgnoreCurrent(), len(running())
	require.NoError(t, server.Freeze())
	open := func(ctx context.Context) error {
		source, err := topologypg.New(pool, pairdbtest.ClusterName)
		require.NoError(t, err)
		client, err := pairdb.Open(ctx, source, pairdb.WithDialer(b.cluster.Dial))
		require.Nil(t, client)
		require.Len(t, running(), own)
		return err
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	err = open(cancelled)
	require.ErrorIs(t, err, context.Canceled)
	t.Logf("cancelled before: %v", err)

	later, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(300*time.Millisecond, cancel)
	defer timer.Stop()
	err = open(later)
	require.ErrorIs(t, err, context.Canceled)
	t.Logf("cancelled meanwhile: %v", err)

	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	err = open(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	t.Logf("out of time after %v: %v", time.Since(began).Round(time.Millisecond), err)
	require.NoError(t, server.Thaw())
	require.NoError(t, goleak.Find(all), "the driver's leave from a server that does not answer ends too")
}

func TestCloseReturnsWithItsContextWhilePostgreSQLAndRedisAreFrozenAndLeavesNothing(t *testing.T) {
	server, redis := testservers.NewPostgres(t), testservers.NewRedis(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	b := newBackends(t, url)
	b.create("shop")
	store := redisStore(t, redis.Addr())
	all, own := goleak.IgnoreCurrent(), len(running())
	p := b.process(setting{more: []pairdb.Option{pairdb.WithIdempotency(store)}})
	shop, newcomer := p.client.Tenant("shop"), p.client.Tenant("newcomer")
	_, err = shop.Put(t.Context(), "k", []byte("v"), key("1"))
	require.NoError(t, err)
	b.listening(tenantsChannel, 1)
	b.listening(topologyChannel, 1)
	require.NoError(t, server.Freeze())
	require.NoError(t, redis.Freeze())

	// Calls that wait for either, and a change of a tenant.
	var keyed, unknown, created error
	var calls sync.WaitGroup
	calls.Go(func() { _, keyed = shop.Put(context.Background(), "k", []byte("w"), key("2")) })
	calls.Go(func() { _, unknown = newcomer.Put(context.Background(), "k", []byte("w")) })
	calls.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, created = p.client.Tenants().Create(ctx, tenant.Config{ID: "newcomer"})
	})
	require.Greater(t, len(running()), own)
	eventually(t, "the calls", func() bool { return p.client.Stats().InFlight == 2 })

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	err = p.client.Close(ctx)
	took := time.Since(began)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	t.Logf("Close with a context of 100 ms, after %v: %v", took.Round(time.Millisecond), err)
	require.Less(t, took, pairdb.DefaultTimeout, "it does not wait for the calls")
	require.Len(t, running(), own)
	calls.Wait()
	requireOneOutcome(t, keyed, pairdb.ErrNotApplied)
	t.Logf("a write with a key: %v", keyed)
	requireOneOutcome(t, unknown, pairdb.ErrNotApplied)
	require.ErrorIs(t, unknown, pairdb.ErrClosed)
	require.False(t, pairdb.Retryable(unknown))
	t.Logf("a write of a tenant that is not known: %v", unknown)
	require.ErrorIs(t, created, context.DeadlineExceeded)
	t.Logf("creating a tenant: %v", created)
	require.NoError(t, server.Thaw())
	require.NoError(t, redis.Thaw())
	p.pool.Close()
	require.NoError(t, goleak.Find(all))
}
