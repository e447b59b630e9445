package redis_test

import (
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
)

func TestNewRefusesWhatItCannotWorkWith(t *testing.T) {
	_, err := redis.New(nil)
	require.Error(t, err)
	client := closing(t, goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true}))
	for _, prefix := range []string{"", "a b", "{x}", "a}", "ä", "a\n", strings.Repeat("x", redis.MaxPrefixBytes+1)} {
		_, err := redis.New(client, redis.Prefix(prefix))
		require.ErrorContains(t, err, "Prefix", "%q", prefix)
	}
	s := storeOn(t, client, redis.Prefix(strings.Repeat("x", redis.MaxPrefixBytes)))
	require.NotNil(t, s, "New does no I/O: nobody listens there")
}

func TestRecordNamesStayAsTheyAre(t *testing.T) {
	client := closing(t, goredis.NewClient(&goredis.Options{ContextTimeoutEnabled: true}))
	key := idempotency.Key{Cluster: "c1", Tenant: "shop", Key: "order/1", Token: "token"}
	require.Equal(t, "pairdb:idem:c1:shop:UqXreZkNQvsPnU1KiL71DYx8kkDaMmBh", storeOn(t, client).RecordName(key))
	require.Equal(t, "mine/c1:shop:UqXreZkNQvsPnU1KiL71DYx8kkDaMmBh", storeOn(t, client, redis.Prefix("mine/")).RecordName(key))
}

func TestInputThatBreaksARuleIsRefusedWithoutAsking(t *testing.T) {
	s := storeOn(t, closing(t, goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, ContextTimeoutEnabled: true})))
	bad := someKey
	bad.Tenant = "{shop}"
	for method, err := range map[string]error{
		"lookup":   second(s.Lookup(t.Context(), bad)),
		"begin":    second(s.Begin(t.Context(), bad, write(1, "v"), long)),
		"replace":  second(s.Replace(t.Context(), bad, write(1, "v").Dot(), write(1, "v"), long)),
		"complete": s.Complete(t.Context(), bad, write(1, "v"), result, long),
		"ttl":      second(s.Begin(t.Context(), someKey, write(1, "v"), 0)),
		"long ttl": second(s.Begin(t.Context(), someKey, write(1, "v"), idempotency.MaxTTL+1)),
		"intent":   second(s.Begin(t.Context(), someKey, idempotency.Intent{}, long)),
		"result":   s.Complete(t.Context(), someKey, write(1, "v"), idempotency.Result{Acked: -1}, long),
	} {
		require.ErrorIs(t, err, idempotency.ErrInvalid, method)
	}
}

func second(_ idempotency.Record, _ bool, err error) error { return err }

func TestAClientWhoseCallsOutlastTheirContextIsRefused(t *testing.T) {
	for name, client := range map[string]goredis.UniversalClient{
		"single":   closing(t, goredis.NewClient(new(goredis.Options))),
		"sentinel": closing(t, goredis.NewFailoverClient(&goredis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"127.0.0.1:1"}})),
		"cluster":  closing(t, goredis.NewClusterClient(new(goredis.ClusterOptions))),
		"ring":     closing(t, goredis.NewRing(new(goredis.RingOptions))),
	} {
		_, err := redis.New(client)
		require.ErrorContains(t, err, "ContextTimeoutEnabled", name)
	}
}
