//pairdb:needs redis

package redis_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
)

func TestWithAppendFsyncAlwaysRecordsOutliveAKill(t *testing.T) {
	t.Parallel()
	r := testservers.NewRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := storeOn(t, clientOf(t, r.Addr()))
	begin(t, s, someKey, write(1, "v"))
	for _, end := range []func() error{r.Kill, r.Stop} {
		require.NoError(t, end())
		require.NoError(t, r.Start())
		rec, mine := begin(t, s, someKey, write(2, "w"))
		require.False(t, mine)
		require.Equal(t, write(1, "v"), rec.Intent)
	}
	require.NoError(t, s.Complete(t.Context(), someKey, write(1, "v"), result, long))
	require.NoError(t, r.Kill())
	require.NoError(t, r.Start())
	rec, mine := begin(t, s, someKey, write(2, "w"))
	require.False(t, mine)
	require.True(t, rec.Done)
}

// The promise ends with the record: the same request begins as if it were the first, and takes
// effect once more.
func TestWithoutPersistenceARestartLosesRecordsAndTheRetryIsAnotherWrite(t *testing.T) {
	t.Parallel()
	r := testservers.NewRedis(t)
	s := storeOn(t, clientOf(t, r.Addr()))
	_, mine := begin(t, s, someKey, write(1, "v"))
	require.True(t, mine)
	require.NoError(t, r.Kill())
	require.NoError(t, r.Start())
	_, mine = begin(t, s, someKey, write(2, "v"))
	require.True(t, mine)
}

func TestAfterAFailoverTheReplicaHasTheRecords(t *testing.T) {
	t.Parallel()
	master := testservers.NewRedis(t)
	replica := testservers.NewRedis(t)
	replicaClient := clientOf(t, replica.Addr())
	host, port := hostPort(t, master.Addr())
	require.NoError(t, replicaClient.ReplicaOf(t.Context(), host, port).Err())
	sentinel := startSentinel(t, master)
	client := failoverClient(t, sentinel)
	s := storeOn(t, client)
	begin(t, s, someKey, write(1, "v"))
	eventually(t, func(ctx context.Context) bool {
		return replicaClient.Exists(ctx, s.RecordName(someKey)).Val() == 1
	})
	awaitReplica(t, sentinel)
	require.NoError(t, master.Kill())
	eventually(t, func(ctx context.Context) bool {
		rec, mine, err := s.Begin(ctx, someKey, write(2, "w"), long)
		return err == nil && !mine && rec.Intent.Dot() == write(1, "").Dot()
	})
}
