//pairdb:needs redis

package redis_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/internal/testservers"
)

// writes returns what each method that writes says.
func writes(ctx context.Context, s *redis.Store) map[string]error {
	i := write(1, "v")
	_, _, begin := s.Begin(ctx, someKey, i, long)
	_, _, replace := s.Replace(ctx, someKey, write(9, "").Dot(), i, long)
	return map[string]error{"begin": begin, "replace": replace, "complete": s.Complete(ctx, someKey, i, result, long)}
}

func requireAll(t *testing.T, s *redis.Store, want error, code string) {
	t.Helper()
	for method, err := range writes(t.Context(), s) {
		require.ErrorIs(t, err, want, method)
		require.True(t, goredis.HasErrorPrefix(err, code), "%s: %v: the cause can still be asked for", method, err)
	}
}

// refusing returns a store on a server of the test's own, and a client to set that server up with.
func refusing(t *testing.T, args ...string) (*redis.Store, *goredis.Client) {
	t.Helper()
	client := clientOf(t, testservers.NewRedis(t, args...).Addr())
	return storeOn(t, client), client
}

func TestAFullServerIsErrFull(t *testing.T) {
	t.Parallel()
	s, client := refusing(t)
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1").Err())
	requireAll(t, s, idempotency.ErrFull, "OOM")
	_, found, err := s.Lookup(t.Context(), someKey)
	require.NoError(t, err, "what is there can be read")
	require.False(t, found)
}

func TestAReplicaIsErrReadOnlyAndOneWithoutItsMasterErrNotReady(t *testing.T) {
	t.Parallel()
	master := testservers.NewRedis(t)
	s, client := refusing(t, "--replica-serve-stale-data", "no")
	host, port := hostPort(t, master.Addr())
	require.NoError(t, client.ReplicaOf(t.Context(), host, port).Err())
	eventually(t, func(ctx context.Context) bool { return errors.Is(client.Get(ctx, "k").Err(), goredis.Nil) })
	requireAll(t, s, redis.ErrReadOnly, "READONLY")

	require.NoError(t, master.Kill())
	eventually(t, func(ctx context.Context) bool { return !errors.Is(client.Get(ctx, "k").Err(), goredis.Nil) })
	requireAll(t, s, redis.ErrNotReady, "MASTERDOWN")
	_, _, err := s.Lookup(t.Context(), someKey)
	require.ErrorIs(t, err, redis.ErrNotReady)
}

func TestAClusterWithoutOwnersOfTheSlotIsErrNotReady(t *testing.T) {
	t.Parallel()
	s, _ := refusing(t, "--cluster-enabled", "yes")
	requireAll(t, s, redis.ErrNotReady, "CLUSTERDOWN")
}

func TestAServerWithTooFewReplicasIsErrNotReady(t *testing.T) {
	t.Parallel()
	s, _ := refusing(t, "--min-replicas-to-write", "1")
	requireAll(t, s, redis.ErrNotReady, "NOREPLICAS")
}

func TestAServerThatCannotSaveIsErrNotReady(t *testing.T) {
	t.Parallel()
	s, client := refusing(t, "--save", "3600 1")
	dir := client.ConfigGet(t.Context(), "dir").Val()["dir"]
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "dump.rdb", "in the way"), 0o700))
	require.Error(t, client.Save(t.Context()).Err())
	require.NoError(t, client.BgSave(t.Context()).Err())
	eventually(t, func(ctx context.Context) bool {
		return goredis.HasErrorPrefix(client.Set(ctx, "k", "", 0).Err(), "MISCONF")
	})
	requireAll(t, s, redis.ErrNotReady, "MISCONF")
}

func TestAServerThatLoadsItsDataIsErrNotReady(t *testing.T) {
	t.Parallel()
	s, client := refusing(t, "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024", "--rdbcompression", "no")
	for _, key := range []string{"a", "b", "c", "d"} {
		require.NoError(t, client.Set(t.Context(), key, make([]byte, 4096), 0).Err())
	}
	begin(t, s, someKey, write(1, "v")) // the script is there by then
	require.NoError(t, client.ConfigSet(t.Context(), "key-load-delay", "500000").Err())
	reloaded := make(chan error, 1)
	reloader := closing(t, goredis.NewClient(&goredis.Options{Addr: client.Options().Addr, ReadTimeout: patience}))
	go func() { reloaded <- reloader.Do(context.Background(), "DEBUG", "RELOAD").Err() }()
	eventually(t, func(ctx context.Context) bool { return goredis.IsLoadingError(client.Get(ctx, "a").Err()) })
	_, _, err := s.Begin(t.Context(), someKey, write(1, "v"), long)
	require.ErrorIs(t, err, redis.ErrNotReady)
	require.True(t, goredis.IsLoadingError(err))
	require.NoError(t, <-reloaded)
}

func TestAServerThatWantsAnotherPasswordIsErrDenied(t *testing.T) {
	t.Parallel()
	r := testservers.NewRedis(t, "--requirepass", "right")
	requireAll(t, storeOn(t, clientOf(t, r.Addr())), redis.ErrDenied, "NOAUTH")
	wrong := closing(t, goredis.NewClient(&goredis.Options{Addr: r.Addr(), Password: "wrong", MaxRetries: -1, ContextTimeoutEnabled: true}))
	requireAll(t, storeOn(t, wrong), redis.ErrDenied, "WRONGPASS")
}

// rights is what the package comment says that a user needs.
var rights = []any{"ACL", "SETUSER", "app", "on", ">secret", "~pairdb:idem:*", "+get", "+set", "+pexpire", "+eval", "+evalsha"}

func TestTheRightsThatAreDocumentedSuffice(t *testing.T) {
	t.Parallel()
	r := testservers.NewRedis(t)
	admin := clientOf(t, r.Addr())
	require.NoError(t, admin.Do(t.Context(), rights...).Err())
	app := closing(t, goredis.NewClient(&goredis.Options{Addr: r.Addr(), Username: "app", Password: "secret", MaxRetries: -1, ContextTimeoutEnabled: true}))
	s := storeOn(t, app)
	begin(t, s, someKey, write(1, "v"))
	_, mine, err := s.Replace(t.Context(), someKey, write(1, "").Dot(), write(2, "w"), long)
	require.NoError(t, err)
	require.True(t, mine)
	for range 2 {
		require.NoError(t, s.Complete(t.Context(), someKey, write(2, "w"), result, long))
	}
	_, found, err := s.Lookup(t.Context(), someKey)
	require.NoError(t, err)
	require.True(t, found)

	requireAll(t, storeOn(t, app, redis.Prefix("other:")), redis.ErrDenied, "NOPERM")
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "app", "-eval", "-evalsha").Err())
	requireAll(t, s, redis.ErrDenied, "NOPERM")
}

func TestAServerThatIsAwayIsAnErrorOfTheNetwork(t *testing.T) {
	t.Parallel()
	r := testservers.NewRedis(t)
	s := storeOn(t, clientOf(t, r.Addr()))
	require.NoError(t, r.Stop())
	for method, err := range writes(t.Context(), s) {
		var op *net.OpError
		require.ErrorAs(t, err, &op, method)
	}
}

func TestAContextThatEndsIsTheError(t *testing.T) {
	t.Parallel()
	r := testservers.NewRedis(t)
	s := storeOn(t, clientOf(t, r.Addr()))
	begin(t, s, someKey, write(1, "v"))
	require.NoError(t, r.Freeze())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := s.Begin(ctx, someKey, write(1, "v"), long)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for method, err := range writes(ctx, s) {
		require.ErrorIs(t, err, context.DeadlineExceeded, method)
	}
	_, _, err = s.Lookup(ctx, someKey)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
