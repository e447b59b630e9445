//pairdb:needs redis

package redis_test

import (
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/vclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Tests{M: m}) }

const (
	// patience bounds what happens at once on a machine that is not overloaded.
	patience = 30 * time.Second
	// long is a time to live that no test outlives.
	long = time.Hour
)

var someKey = idempotency.Key{Cluster: "c1", Tenant: "shop", Key: "order/1", Token: "token"}

// write is a Put's intent whose dot is of the stamp.
func write(stamp uint64, value string) idempotency.Intent {
	dot := vclock.Dot{Actor: 0x100, Stamp: vclock.Stamp(stamp)}
	return idempotency.Intent{
		Fingerprint: idempotency.Fingerprint{15: 1},
		Op:          idempotency.Put,
		State:       vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: []byte(value)}),
	}
}

var result = idempotency.Result{Acked: 2, Owners: 3}

// clientOf connects to one server, without retries: a test sees what the server says.
func clientOf(t *testing.T, addr string) *goredis.Client {
	return closing(t, goredis.NewClient(&goredis.Options{
		Addr: addr, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
	}))
}

// closing closes the client before the server is.
func closing[C goredis.UniversalClient](t *testing.T, client C) C {
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func storeOn(t *testing.T, client goredis.UniversalClient, opts ...redis.Option) *redis.Store {
	t.Helper()
	s, err := redis.New(client, opts...)
	require.NoError(t, err)
	return s
}

func shared(t *testing.T, opts ...redis.Option) (*redis.Store, *goredis.Client) {
	t.Helper()
	client := clientOf(t, testservers.SharedRedis(t))
	return storeOn(t, client, opts...), client
}

func begin(t *testing.T, s idempotency.Store, key idempotency.Key, i idempotency.Intent) (idempotency.Record, bool) {
	t.Helper()
	rec, mine, err := s.Begin(t.Context(), key, i, long)
	require.NoError(t, err)
	return rec, mine
}
