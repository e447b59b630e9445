package postgres

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/testservers"
)

// steps fail if they are taken twice.
var steps = []string{
	`CREATE TABLE {fruit} (name text PRIMARY KEY); INSERT INTO {fruit} VALUES ('apple')`,
	`ALTER TABLE {fruit} ADD COLUMN colour text NOT NULL DEFAULT 'green'`,
	`INSERT INTO {fruit} VALUES ('pear', 'yellow')`,
}

func TestAMigrationTakesEachStepOnceHoweverManyMigrateAtOnce(t *testing.T) {
	url := testservers.SharedPostgres(t)
	for _, schema := range []string{"", "other", `odd "na'me`} {
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			pool := testservers.NewPool(t, url, func(c *pgxpool.Config) {
				if i%2 == 0 { // whatever the connections' default
					c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
				}
			})
			wg.Go(func() { errs[i] = Migrate(t.Context(), pool, schema, "fruit", steps) })
		}
		wg.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		pool := testservers.NewPool(t, url)
		requireFruit(t, pool, schema)
		version, err := Version(t.Context(), pool, schema, "fruit")
		require.NoError(t, err)
		require.Equal(t, len(steps), version)
	}
}

func requireFruit(t *testing.T, pool *pgxpool.Pool, schema string) {
	t.Helper()
	var count int
	require.NoError(t, pool.QueryRow(t.Context(), SQL(schema, "SELECT count(colour) FROM {fruit}")).Scan(&count))
	require.Equal(t, 2, count)
}

func TestAMigrationGoesOnWhereAnEarlierOneEnded(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	for known := range len(steps) + 1 {
		require.NoError(t, Migrate(t.Context(), pool, "", "fruit", steps[:known]))
		version, err := Version(t.Context(), pool, "", "fruit")
		require.NoError(t, err)
		require.Equal(t, known, version)
	}
	requireFruit(t, pool, "")
}

func TestAMigrationThatFailsLeavesNothing(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	err := Migrate(t.Context(), pool, "s", "fruit", []string{steps[0], "ALTER TABLE {vegetables} ADD COLUMN x text"})
	require.ErrorContains(t, err, "step 2")
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg)
	version, err := Version(t.Context(), pool, "s", "fruit")
	require.NoError(t, err)
	require.Zero(t, version)
	require.NoError(t, Migrate(t.Context(), pool, "s", "fruit", steps))
}

func TestANewerSchemaIsRefusedWithBothVersions(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	require.NoError(t, Migrate(t.Context(), pool, "", "fruit", steps))
	err := Migrate(t.Context(), pool, "", "fruit", steps[:1])
	require.ErrorIs(t, err, ErrNewerSchema)
	var newer *NewerSchemaError
	require.ErrorAs(t, err, &newer)
	require.Equal(t, NewerSchemaError{Component: "fruit", Has: 3, Knows: 1}, *newer)
}

func TestAVersionThatSomebodySpoiltIsRefused(t *testing.T) {
	for _, spoil := range []string{"UPDATE pairdb_schema SET version = -1", "ALTER TABLE pairdb_schema ALTER COLUMN version TYPE text"} {
		pool := testservers.NewPool(t, testservers.SharedPostgres(t))
		require.NoError(t, Migrate(t.Context(), pool, "", "fruit", steps))
		exec(t, pool, "ALTER TABLE pairdb_schema DROP CONSTRAINT pairdb_schema_version_check")
		exec(t, pool, spoil)
		err := Migrate(t.Context(), pool, "", "fruit", steps)
		var column *ColumnError
		require.ErrorAs(t, err, &column, spoil)
		require.Equal(t, "version", column.Column)
	}
}

func TestWhoMayOnlyReadMayMigrateWhatIsMigrated(t *testing.T) {
	url := testservers.SharedPostgres(t)
	owner := testservers.NewPool(t, url)
	reader := testservers.NewPool(t, url, func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	})
	var pg *pgconn.PgError
	require.ErrorAs(t, Migrate(t.Context(), reader, "s", "fruit", steps), &pg)
	require.Equal(t, codeReadOnly, pg.Code)
	require.NoError(t, Migrate(t.Context(), owner, "s", "fruit", steps))
	require.NoError(t, Migrate(t.Context(), reader, "s", "fruit", steps))
}

func TestAMigrationWorksInEveryModeOfTheDriver(t *testing.T) {
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		t.Run(mode.String(), func(t *testing.T) {
			pool := testservers.NewPool(t, testservers.SharedPostgres(t), func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			require.NoError(t, Migrate(t.Context(), pool, "s", "fruit", steps[:1]))
			require.NoError(t, Migrate(t.Context(), pool, "s", "fruit", steps))
			requireFruit(t, pool, "s")
		})
	}
}
