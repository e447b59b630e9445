//go:build linux

//pairdb:needs postgres
//pairdb:needs redis

package testservers

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Tests{M: m}) }

// patience bounds what happens at once on a machine that is not overloaded.
const patience = 20 * time.Second

func TestPostgresKeepsItsPortAndItsDataOverStopAndKill(t *testing.T) {
	p := NewPostgres(t)
	url, err := p.CreateDatabase(t.Context())
	require.NoError(t, err)
	run(t, url, "CREATE TABLE kept (n int)")
	port := p.port
	for _, end := range []func() error{p.Stop, p.Kill} {
		run(t, url, "INSERT INTO kept VALUES (1)")
		was := p.child
		require.NoError(t, end())
		require.True(t, gone(was.pid))
		require.Error(t, try(t.Context(), url, "SELECT"))
		require.NoError(t, p.Start())
		require.Equal(t, port, p.port)
	}
	require.NoError(t, p.Start(), "it runs already")
	run(t, url, "DO $$ BEGIN ASSERT (SELECT count(*) = 2 FROM kept); END $$")
}

func TestAFrozenPostgresAnswersNobodyUntilItIsThawed(t *testing.T) {
	p := NewPostgres(t)
	conn, err := pgx.Connect(t.Context(), p.URL("postgres"))
	require.NoError(t, err)
	defer conn.Close(context.Background())
	require.NoError(t, p.Freeze())
	answer := make(chan error, 1)
	go func() { answer <- conn.Ping(context.Background()) }()
	for _, pid := range append(childrenOf(p.child.pid), p.child.pid) {
		require.Eventually(t, func() bool { return state(pid) == "T" }, patience, time.Millisecond)
	}
	require.Empty(t, answer)
	require.NoError(t, p.Thaw())
	require.NoError(t, <-answer)
	require.NoError(t, p.Freeze())
	require.NoError(t, p.Stop(), "a frozen server can be stopped")
	require.Error(t, p.Freeze(), "none runs")
}

func TestPostgresDatabasesAreEmptyAndOfUniqueName(t *testing.T) {
	a, b := SharedPostgres(t), SharedPostgres(t)
	require.NotEqual(t, a, b)
	run(t, a, "CREATE TABLE here (n int)")
	require.Error(t, try(t.Context(), b, "SELECT * FROM here"))
	run(t, a, "DO $$ BEGIN ASSERT current_setting('server_encoding') = 'UTF8'; END $$")
}

func TestRedisKeepsItsPortAndWithAppendOnlyItsDataOverStopAndKill(t *testing.T) {
	r := NewRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	addr := r.Addr()
	require.Equal(t, "+OK", say(t, r, "SET k v"))
	for _, end := range []func() error{r.Stop, r.Kill} {
		was := r.child
		require.NoError(t, end())
		require.True(t, gone(was.pid))
		require.NoError(t, r.Start())
		require.Equal(t, addr, r.Addr())
		require.Equal(t, "v", say(t, r, "GET k"))
	}
}

func TestRedisByDefaultKeepsNothing(t *testing.T) {
	r := NewRedis(t)
	require.Equal(t, "+OK", say(t, r, "SET k v"))
	require.NoError(t, r.Stop())
	require.NoError(t, r.Stop(), "it does not run any more")
	require.NoError(t, r.Start())
	require.Equal(t, "$-1", say(t, r, "GET k"))
}

func TestAFrozenRedisAnswersNobodyUntilItIsThawed(t *testing.T) {
	r := NewRedis(t)
	require.NoError(t, r.Freeze())
	require.Eventually(t, func() bool { return state(r.child.pid) == "T" }, patience, time.Millisecond)
	answer := make(chan string, 1)
	go func() {
		said, _ := redisCommand(context.Background(), r.port, "PING")
		answer <- said
	}()
	require.Empty(t, answer)
	require.NoError(t, r.Thaw())
	require.Equal(t, "+PONG", <-answer)
	require.NoError(t, r.Freeze())
	require.NoError(t, r.Kill(), "a frozen server can be killed")
}

func TestTheSharedRedisIsEmptyForEachTest(t *testing.T) {
	first := SharedRedis(t)
	require.Equal(t, "+OK", say(t, shared.redis, "SET k v"))
	require.Equal(t, first, SharedRedis(t))
	require.Equal(t, "$-1", say(t, shared.redis, "GET k"))
}

func TestARedisThatWantsAPasswordIsUp(t *testing.T) {
	r := NewRedis(t, "--requirepass", "secret")
	require.True(t, strings.HasPrefix(say(t, r, "GET k"), "-NOAUTH"))
}

func say(t *testing.T, r *Redis, command string) string {
	t.Helper()
	said, err := redisCommand(t.Context(), r.port, command)
	require.NoError(t, err)
	return said
}

func run(t *testing.T, url, sql string) {
	t.Helper()
	require.NoError(t, try(t.Context(), url, sql))
}

func try(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
