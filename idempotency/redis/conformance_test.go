//pairdb:needs redis

package redis_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/idempotencytest"
	"github.com/devrev/pairdb/internal/testservers"
)

func TestTheStoreKeepsTheContractOnASingleServer(t *testing.T) {
	t.Parallel()
	runSuite(t, clientOf(t, testservers.NewRedis(t).Addr()))
}

func TestTheStoreKeepsTheContractOnACluster(t *testing.T) {
	t.Parallel()
	addrs := startCluster(t, 3)
	client := closing(t, goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: addrs, ContextTimeoutEnabled: true}))
	runSuite(t, client)
	for _, addr := range addrs {
		n, err := clientOf(t, addr).DBSize(t.Context()).Result()
		require.NoError(t, err)
		require.Positive(t, n, "no records on %s: the keys have one slot, or a few", addr)
	}
}

func TestTheStoreKeepsTheContractThroughSentinel(t *testing.T) {
	t.Parallel()
	runSuite(t, failoverClient(t, startSentinel(t, testservers.NewRedis(t))))
}

func TestTheStoreKeepsTheContractOnARing(t *testing.T) {
	t.Parallel()
	a, b := testservers.NewRedis(t), testservers.NewRedis(t)
	runSuite(t, closing(t, goredis.NewRing(&goredis.RingOptions{
		Addrs: map[string]string{"a": a.Addr(), "b": b.Addr()}, ContextTimeoutEnabled: true,
	})))
}

func runSuite(t *testing.T, client goredis.UniversalClient) {
	idempotencytest.Run(t, func(t *testing.T) idempotency.Store { return storeOn(t, client) })
}

// startCluster starts n masters that share the slots.
func startCluster(t *testing.T, n int, args ...string) []string {
	t.Helper()
	const slots = 16384
	addrs := make([]string, n)
	clients := make([]*goredis.Client, n)
	for i := range n {
		addrs[i] = testservers.NewRedis(t, append([]string{"--cluster-enabled", "yes"}, args...)...).Addr()
		clients[i] = clientOf(t, addrs[i])
		require.NoError(t, clients[i].ClusterAddSlotsRange(t.Context(), i*slots/n, (i+1)*slots/n-1).Err())
	}
	for _, addr := range addrs[1:] {
		host, port := hostPort(t, addr)
		require.NoError(t, clients[0].ClusterMeet(t.Context(), host, port).Err())
	}
	for _, c := range clients {
		eventually(t, func(ctx context.Context) bool {
			info, err := c.ClusterInfo(ctx).Result()
			nodes, nodesErr := c.ClusterNodes(ctx).Result()
			return err == nil && nodesErr == nil && strings.Contains(info, "cluster_state:ok") &&
				strings.Contains(info, "cluster_slots_assigned:16384") && strings.Count(nodes, " connected ") == n
		})
	}
	return addrs
}

const masterName = "records"

// startSentinel starts a Sentinel that watches the master, and returns its address.
func startSentinel(t *testing.T, master *testservers.Redis) string {
	t.Helper()
	s := testservers.NewRedis(t, emptyFile(t), "--sentinel")
	c := goredis.NewSentinelClient(&goredis.Options{Addr: s.Addr()})
	defer c.Close()
	host, port := hostPort(t, master.Addr())
	require.NoError(t, c.Monitor(t.Context(), masterName, host, port, "1").Err())
	for option, value := range map[string]string{"down-after-milliseconds": "500", "failover-timeout": "5000"} {
		require.NoError(t, c.Set(t.Context(), masterName, option, value).Err())
	}
	return s.Addr()
}

// emptyFile is for Sentinel, which wants to write its configuration back.
func emptyFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	return path
}

func failoverClient(t *testing.T, sentinel string) *goredis.Client {
	return closing(t, goredis.NewFailoverClient(&goredis.FailoverOptions{
		MasterName: masterName, SentinelAddrs: []string{sentinel}, ContextTimeoutEnabled: true,
	}))
}

// awaitReplica waits until the Sentinel knows of a replica that it can promote.
func awaitReplica(t *testing.T, sentinel string) {
	t.Helper()
	c := goredis.NewSentinelClient(&goredis.Options{Addr: sentinel})
	defer c.Close()
	eventually(t, func(ctx context.Context) bool {
		replicas, err := c.Replicas(ctx, masterName).Result()
		return err == nil && len(replicas) == 1 && replicas[0]["flags"] == "slave" && replicas[0]["master-link-status"] == "ok"
	})
}

func hostPort(t *testing.T, addr string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	return host, port
}

func eventually(t *testing.T, ok func(context.Context) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return ok(t.Context()) }, patience, 10*time.Millisecond)
}
