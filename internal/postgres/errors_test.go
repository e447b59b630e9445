package postgres

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
)

func TestAnErrorOfTheServerComesWithAdviceAndKeepsItsCause(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	exec(t, pool, "CREATE TABLE here (a integer)")
	for sql, code := range map[string]string{
		"SELECT 1 FROM nowhere":                            codeNoTable,
		"SELECT b FROM here":                               codeNoColumn,
		"CREATE TABLE nowhere.x ()":                        codeNoSchemaName,
		"CREATE TABLE here ()":                             codeTableExists,
		"SELECT 1 FROM here WHERE a ~ 'x'":                 codeNoFunction,
		"BEGIN READ ONLY; INSERT INTO here VALUES (1)":     codeReadOnly,
		"SET statement_timeout = 1; SELECT pg_sleep(9)":    codeCancelled,
		"SET ROLE pg_monitor; INSERT INTO here VALUES (1)": codeNoPermission,
		"SELECT pg_terminate_backend(pg_backend_pid())":    codeShutdown,
	} {
		t.Run(code, func(t *testing.T) {
			conn, err := pool.Acquire(t.Context())
			require.NoError(t, err)
			_, err = conn.Conn().PgConn().Exec(t.Context(), sql).ReadAll()
			explained := Explain(t.Context(), "try", err)
			require.NoError(t, conn.Conn().Close(context.Background()))
			conn.Release()

			var pg *pgconn.PgError
			require.ErrorAs(t, explained, &pg)
			require.Equal(t, code, pg.Code)
			require.ErrorIs(t, explained, err)
			missing := code == codeNoTable || code == codeNoColumn || code == codeNoSchemaName
			require.Equal(t, missing, errors.Is(explained, ErrNoSchema))
			require.Greater(t, len(explained.Error()), len("try: : "+err.Error())) // for people: what to do
			t.Log(explained)
		})
	}
}

func TestNoConnectionLeftIsSaid(t *testing.T) {
	url := testservers.SharedPostgres(t)
	super := testservers.NewPool(t, url)
	exec(t, super, "CREATE ROLE crowded LOGIN CONNECTION LIMIT 1")
	t.Cleanup(func() {
		_, err := super.Exec(context.Background(), "DROP ROLE crowded")
		require.NoError(t, err)
	})
	pool := testservers.NewPool(t, url, func(c *pgxpool.Config) { c.ConnConfig.User = "crowded" })
	held, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer held.Release()
	last := pool.Ping(t.Context())
	var pg *pgconn.PgError
	require.ErrorAs(t, last, &pg)
	require.Equal(t, codeTooManyConns, pg.Code)
	require.ErrorContains(t, Explain(t.Context(), "try", last), "max_connections") // for people
}

func TestWhatIsNoErrorOfTheServerIsExplainedToo(t *testing.T) {
	require.NoError(t, Explain(t.Context(), "try", nil))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err := Explain(ended, "try", io.ErrUnexpectedEOF)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.EqualError(t, Explain(ended, "try", context.Canceled), "try: context canceled")
	require.ErrorContains(t, Explain(t.Context(), "try", io.EOF), "broke") // for people
	pool := testservers.NewPool(t, "postgres://127.0.0.1:1/x?sslmode=disable")
	require.ErrorContains(t, Explain(t.Context(), "try", pool.Ping(t.Context())), "cannot be reached") // for people
}
