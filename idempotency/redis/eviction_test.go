//pairdb:needs redis

package redis_test

import (
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/internal/testservers"
)

func TestAnEvictingServerIsRefusedBeforeAnythingIsRecorded(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"allkeys-lru", "volatile-ttl"} {
		s, client := refusing(t, "--maxmemory", "100mb", "--maxmemory-policy", policy)
		for range 2 {
			_, _, err := s.Begin(t.Context(), someKey, write(1, "v"), long)
			require.ErrorIs(t, err, redis.ErrEvicting)
			require.ErrorContains(t, err, policy)
			_, _, err = s.Replace(t.Context(), someKey, write(1, "").Dot(), write(2, "v"), long)
			require.ErrorIs(t, err, redis.ErrEvicting)
		}
		require.Zero(t, client.DBSize(t.Context()).Val())
		require.NoError(t, s.Complete(t.Context(), someKey, write(1, "v"), result, long), "the write was made: better recorded than not")

		require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
		begin(t, s, someKey, write(1, "v"))
	}
}

func TestAServerThatBeginsToEvictIsFoundOutLater(t *testing.T) {
	t.Parallel()
	s, client := refusing(t)
	begin(t, s, someKey, write(1, "v"))
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "100mb").Err())
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-random").Err())
	begin(t, s, someKey, write(1, "v")) // within the minute
	s.LookAgain()
	_, _, err := s.Begin(t.Context(), someKey, write(1, "v"), long)
	require.ErrorIs(t, err, redis.ErrEvicting)
}

func TestAServerIsAskedOnceAMinuteWhetherItEvicts(t *testing.T) {
	t.Parallel()
	s, client := refusing(t)
	for range 10 {
		begin(t, s, someKey, write(1, "v"))
	}
	require.Contains(t, client.Info(t.Context(), "commandstats").Val(), "cmdstat_config|get:calls=1,")
}

func TestAPolicyWithoutALimitEvictsNothing(t *testing.T) {
	t.Parallel()
	s, _ := refusing(t, "--maxmemory-policy", "allkeys-lru")
	begin(t, s, someKey, write(1, "v"))
}

func TestEvictionCanBeAllowed(t *testing.T) {
	t.Parallel()
	_, client := refusing(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	begin(t, storeOn(t, client, redis.AllowEviction()), someKey, write(1, "v"))
	require.NotContains(t, client.Info(t.Context(), "commandstats").Val(), "config|get")
}

func TestAServerThatForbidsTheQuestionIsUsed(t *testing.T) {
	t.Parallel()
	s, _ := refusing(t, "--rename-command", "CONFIG", "")
	begin(t, s, someKey, write(1, "v"))
}

func TestOneEvictingServerOfManyIsFound(t *testing.T) {
	t.Parallel()
	addrs := startCluster(t, 2, "--maxmemory-policy", "allkeys-lru")
	require.NoError(t, clientOf(t, addrs[1]).ConfigSet(t.Context(), "maxmemory", "100mb").Err())
	cluster := closing(t, goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true}))
	_, _, err := storeOn(t, cluster).Begin(t.Context(), someKey, write(1, "v"), long)
	require.ErrorIs(t, err, redis.ErrEvicting)

	fine := testservers.NewRedis(t)
	ring := closing(t, goredis.NewRing(&goredis.RingOptions{Addrs: map[string]string{"a": fine.Addr(), "b": addrs[1]}, ContextTimeoutEnabled: true}))
	_, _, err = storeOn(t, ring).Begin(t.Context(), someKey, write(1, "v"), long)
	require.ErrorIs(t, err, redis.ErrEvicting)
}
