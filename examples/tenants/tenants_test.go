package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
)

//pairdb:needs postgres
//pairdb:needs redis

// TestMain lets the test binary be a worker, as the program can.
func TestMain(m *testing.M) {
	goredis.SetLogger(quiet{})
	if os.Getenv(workerEnv) != "" {
		os.Exit(workerMain(os.Args[1:]))
	}
	os.Exit(testservers.Main(m))
}

// ownServers skips the test where a program is missing, and keeps an operator's servers away.
func ownServers(t *testing.T) {
	t.Helper()
	testservers.SharedPostgres(t)
	testservers.SharedRedis(t)
	t.Setenv(postgresEnv, "")
	t.Setenv(redisEnv, "")
	ownTemp(t)
}

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
}

// ownTemp is where all files go; they have to be gone when the test ends. PostgreSQL may run as
// another user, who could not enter the test's own directory.
func ownTemp(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "tenants-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711)) //nolint:gosec // see above
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
		require.NoError(t, os.RemoveAll(dir))
	})
}

func TestItShowsEveryStepAndAllIsAsExpected(t *testing.T) {
	ownServers(t)
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), nil, &stdout, &stderr), "%s%s", &stdout, &stderr)
	require.Empty(t, stderr.String())
	text := stdout.String()
	for _, pattern := range []string{
		`(?m)^   cluster \S+, epoch 6: `,
		`(?m)^     n5 +127\.0\.0\.1:\d+ +store [0-9a-f]{16}$`,
		`(?m)^   payments +5  quorum  quorum  causal +1$`,
		`(?m)^   sessions +2  one +all +last write wins  1$`,
		`(?m)^     process \d+: +killed after its intent was recorded; writes on nodes: 0$`,
		`(?m)^     process \d+: +killed after the write, before that was recorded; writes on nodes: 1$`,
		`(?m)^     process \d+: +repeats it: replayed, duplicate=true, on [345] of 5 nodes; writes in all: 1$`,
		`(?m)^   repeated again: +by this process: duplicate, nothing was sent$`,
		`(?m)^     ErrIdempotencyConflict: true, ErrNotApplied: true, Retryable: false$`,
		`(?m)^   process \d+: +killed while it was counting$`,
		`(?m)^   the counter: +60 of 60, by [23] processes; `,
		`(?m)^   HookTenantStale: payments, served as it was `,
		`(?m)^   HookTenantStale: sessions, served as it was `,
		`(?m)^     ErrUnavailable: true, ErrNotApplied: true, Retryable: true$`,
		`(?m)^   requests: +[\d,]+, 0 failed$`,
		`(?m)^   process \d+: +reads at level two, \d+ ms after the change was begun$`,
		`(?m)^   with FailOpen: +stored on [345] of 5 nodes; HookIdempotency: unprotected$`,
		`(?m)^   Redis is back: +order/1001 repeated once more: duplicate, `,
		`(?m)^   payments/order/1002: +250\.00 EUR; 1 write, on 5 nodes$`,
		`(?m)^   sessions: +4 of 4 keys `,
		`(?m)^   process \d+: +[\d,]+ requests throughout, 0 failed$`,
		`(?m)^all as expected$`,
	} {
		require.Regexp(t, pattern, text)
	}
	require.LessOrEqual(t, strings.Count(text, "\n"), 90, text)
}

func TestServersThatRunAlreadyAreUsedLeftRunningAndLeftClean(t *testing.T) {
	skipShort(t)
	ownServers(t)
	postgres, redis := testservers.SharedPostgres(t), testservers.SharedRedis(t)
	t.Setenv(postgresEnv, postgres)
	t.Setenv(redisEnv, redis)
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(t.Context(), nil, &stdout, &stderr), "%s%s", &stdout, &stderr)
	require.Contains(t, stdout.String(), "left out: the server of "+postgresEnv)
	require.Contains(t, stdout.String(), "left out: the server of "+redisEnv)
	require.Contains(t, stdout.String(), "all as expected")

	conn, err := pgx.Connect(t.Context(), postgres)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	var schemas int
	require.NoError(t, conn.QueryRow(t.Context(),
		"SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pairdb%'").Scan(&schemas))
	require.Zero(t, schemas)
	client := goredis.NewClient(&goredis.Options{Addr: redis})
	defer client.Close()
	records, err := client.DBSize(t.Context()).Result()
	require.NoError(t, err)
	require.Zero(t, records)
}

func TestAnInterruptedRunEndsItsServersAndLeavesNothingBehind(t *testing.T) {
	skipShort(t)
	for _, text := range []string{"   cluster ", "killed while it was counting", "stopped after"} {
		t.Run(strings.TrimSpace(text), func(t *testing.T) {
			ownServers(t)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var stdout, stderr bytes.Buffer
			code := run(ctx, nil, &onText{&stdout, text, interrupt}, &stderr)
			require.Equal(t, exitInterrupted, code, stderr.String())
			require.Contains(t, stderr.String(), "interrupted")
			require.NotContains(t, stdout.String(), "all as expected")
			addrs := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindAllString(stdout.String(), -1)
			require.GreaterOrEqual(t, len(addrs), 2)
			for _, addr := range addrs {
				_, err := net.Dial("tcp", addr)
				require.Error(t, err, addr)
			}
		})
	}
}

// onText calls then when text is written.
type onText struct {
	to   *bytes.Buffer
	text string
	then func()
}

func (w *onText) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.then()
	}
	return w.to.Write(p)
}

func TestAProgramThatIsMissingIsNamedWithHowToGetIt(t *testing.T) {
	ownServers(t)
	t.Setenv("PATH", t.TempDir()) // PostgreSQL is found where Debian puts it, too
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitFailed, run(t.Context(), nil, &stdout, &stderr))
	require.Regexp(t, `apt-get install (redis-server|postgresql) .* set PAIRDB_(REDIS_ADDR|POSTGRES_URL)`, stderr.String())
}

func TestAServerThatIsNotThereIsNamedByItsVariable(t *testing.T) {
	ownTemp(t)
	t.Setenv(postgresEnv, "postgres://127.0.0.1:1/none?connect_timeout=2")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitFailed, run(t.Context(), nil, &stdout, &stderr))
	require.Contains(t, stderr.String(), postgresEnv)
}

func TestWhatIsNotAsExpectedIsSaidAndFailsTheRun(t *testing.T) {
	var text bytes.Buffer
	out := newPrinter(&text)
	out.expect(true, "this")
	out.expect(false, "%d writes", 1)
	require.Equal(t, "   NOT AS EXPECTED: 1 writes\n", text.String())
	require.ErrorContains(t, out.verdict(), "1 things")
	require.NotContains(t, text.String(), "all as expected")
}

func TestArgumentsAreRefused(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitUsage, run(t.Context(), []string{"x"}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "there are none")
	require.Empty(t, stdout.String())
}
