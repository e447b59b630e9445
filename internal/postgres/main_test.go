package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/internal/testservers"
)

//pairdb:needs postgres

func TestMain(m *testing.M) { goleak.VerifyTestMain(testservers.Tests{M: m}) }

func exec(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	_, err := pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}
