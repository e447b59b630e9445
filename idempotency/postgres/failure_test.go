package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/postgres"
	"github.com/devrev/pairdb/internal/testservers"
)

//pairdb:needs postgres

// everyCall makes each kind of call, and returns their errors by name.
func everyCall(ctx context.Context, s *postgres.Store, key idempotency.Key) map[string]error {
	errs := make(map[string]error)
	_, _, errs["lookup"] = s.Lookup(ctx, key)
	_, _, errs["begin"] = s.Begin(ctx, key, put(1, "a"), time.Hour)
	_, _, errs["replace"] = s.Replace(ctx, key, put(1, "a").Dot(), put(2, "b"), time.Hour)
	errs["complete"] = s.Complete(ctx, key, put(1, "a"), idempotency.Result{}, time.Hour)
	return errs
}

func TestWithoutTheTableEveryCallSaysSo(t *testing.T) {
	s := storeOn(t, testservers.NewPool(t, testservers.SharedPostgres(t)))
	errs := everyCall(t.Context(), s, freshKey())
	_, errs["sweep"] = s.Sweep(t.Context())
	for name, err := range errs {
		require.ErrorIs(t, err, postgres.ErrNoSchema, name)
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, name)
	}
}

func TestAServerThatTakesNoWritesSaysSo(t *testing.T) {
	_, pool := newStore(t)
	s := storeOn(t, testservers.NewPool(t, pool.Config().ConnString(), func(c *pgxpool.Config) {
		c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	}))
	errs := everyCall(t.Context(), s, freshKey())
	require.NoError(t, errs["lookup"])
	delete(errs, "lookup")
	for name, err := range errs {
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, name)
		require.Equal(t, "25006", pg.Code, name)
		require.ErrorContains(t, err, "connect to the primary", name) // for people: what to do
	}
}

func TestAStoppedServerIsAClearErrorAndItsRecordsAreThereAgainAfterIt(t *testing.T) {
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	s := storeOn(t, testservers.NewPool(t, url))
	require.NoError(t, s.Migrate(t.Context()))
	key := freshKey()
	_, mine, err := s.Begin(t.Context(), key, put(1, "a"), time.Hour)
	require.NoError(t, err)
	require.True(t, mine)

	require.NoError(t, server.Stop())
	for name, err := range everyCall(t.Context(), s, key) {
		require.Error(t, err, name)
		require.ErrorContains(t, err, "acme", name)
		for _, ours := range []error{
			idempotency.ErrInvalid, idempotency.ErrDamaged, idempotency.ErrFull, idempotency.ErrReplaced, context.Canceled,
		} {
			require.NotErrorIs(t, err, ours, name)
		}
		t.Log(err)
	}
	require.NoError(t, server.Start())
	rec, mine, err := s.Begin(t.Context(), key, put(2, "b"), time.Hour)
	require.NoError(t, err)
	require.False(t, mine)
	require.Equal(t, put(1, "a").Dot(), rec.Intent.Dot())
}

func TestAServerThatDoesNotAnswerIsWaitedForUntilTheContextEnds(t *testing.T) {
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	s := storeOn(t, testservers.NewPool(t, url))
	require.NoError(t, s.Migrate(t.Context()))

	require.NoError(t, server.Freeze())
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = s.Begin(ctx, freshKey(), put(1, "a"), time.Hour)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, server.Thaw())
	_, _, err = s.Begin(t.Context(), freshKey(), put(1, "a"), time.Hour)
	require.NoError(t, err)
}

func TestARecordThatCannotBeReadIsDamagedAndStaysAsItIs(t *testing.T) {
	s, pool := newStore(t)
	whole := idempotency.AppendRecord(nil, idempotency.Record{Intent: put(1, "a")})
	for name, b := range map[string][]byte{
		"nothing":             {},
		"a byte":              {1},
		"of another version":  append([]byte{2}, whole[1:]...),
		"cut in its head":     whole[:10],
		"cut":                 whole[:len(whole)-1],
		"text":                []byte("by hand"),
		"with a flag of none": append([]byte{1, 4}, whole[2:]...),
	} {
		key := freshKey()
		_, _, err := s.Begin(t.Context(), key, put(1, "a"), time.Hour)
		require.NoError(t, err)
		exec(t, pool, "UPDATE pairdb_idempotency SET record = $1 WHERE token = $2", b, []byte(key.Token))
		errs := everyCall(t.Context(), s, key)
		if name == "cut" { // its head is sound: who names its dot has read it whole
			delete(errs, "replace")
			delete(errs, "complete")
			exec(t, pool, "UPDATE pairdb_idempotency SET record = $1 WHERE token = $2", b, []byte(key.Token))
		}
		for call, err := range errs {
			require.ErrorIs(t, err, idempotency.ErrDamaged, "%s: %s", name, call)
			require.NotErrorIs(t, err, idempotency.ErrInvalid, "%s: %s", name, call)
		}
		var after []byte
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT record FROM pairdb_idempotency WHERE token = $1", []byte(key.Token)).Scan(&after))
		require.Equal(t, b, after, name)

		exec(t, pool, "UPDATE pairdb_idempotency SET expires = now() WHERE token = $1", []byte(key.Token))
		_, mine, err := s.Begin(t.Context(), key, put(3, "c"), time.Hour)
		require.NoError(t, err, "past its time it is absent")
		require.True(t, mine)
	}
}

func TestATableThatWasChangedByHandIsAnError(t *testing.T) {
	for name, change := range map[string]string{
		"a column less":  "ALTER TABLE pairdb_idempotency DROP COLUMN record",
		"another type":   "ALTER TABLE pairdb_idempotency ALTER COLUMN record TYPE text USING encode(record, 'hex')",
		"rows disappear": "CREATE RULE lost AS ON INSERT TO pairdb_idempotency DO INSTEAD NOTHING",
	} {
		t.Run(name, func(t *testing.T) {
			s, pool := newStore(t)
			exec(t, pool, change)
			errs := everyCall(t.Context(), s, freshKey())
			delete(errs, "lookup")
			for call, err := range errs {
				require.Error(t, err, call)
				t.Log(err)
			}
		})
	}
}

func TestErrorsDoNotShowTokens(t *testing.T) {
	s := storeOn(t, testservers.NewPool(t, testservers.SharedPostgres(t)))
	key := freshKey()
	key.Key = strings.Repeat("k", 1024)
	for _, err := range everyCall(t.Context(), s, key) {
		require.NotContains(t, err.Error(), key.Token)
		require.Less(t, len(err.Error()), 512)
	}
}

func TestASchemaOfAnyNameIsQuoted(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	exec(t, pool, "CREATE TABLE precious (n integer)")
	for _, name := range []string{
		"other", `"; DROP TABLE precious; --`, "a.b", "Süß 💩", "{pairdb_idempotency}", strings.Repeat("x", 63),
	} {
		s := storeOn(t, pool, postgres.Schema(name))
		require.NoError(t, s.Migrate(t.Context()), name)
		require.NoError(t, s.Migrate(t.Context()), name)
		key := freshKey()
		_, mine, err := s.Begin(t.Context(), key, put(1, "a"), time.Hour)
		require.NoError(t, err, name)
		require.True(t, mine, name)
		_, err = s.Sweep(t.Context())
		require.NoError(t, err, name)
	}
	exec(t, pool, "SELECT n FROM precious")
}

func TestAnOptionThatIsNotPossibleIsRefusedByName(t *testing.T) {
	pool := testservers.NewPool(t, testservers.SharedPostgres(t))
	for name, o := range map[string]postgres.Option{
		"Schema": postgres.Schema("pg_mine"), "SweepEvery": postgres.SweepEvery(-1), "Logger": postgres.Logger(nil),
	} {
		_, err := postgres.New(pool, o)
		require.ErrorIs(t, err, postgres.ErrOption)
		require.ErrorContains(t, err, name)
	}
	_, err := postgres.New(nil)
	require.ErrorIs(t, err, postgres.ErrOption)
	_, err = postgres.New(pool, postgres.Option{})
	require.NoError(t, err)
}

func TestAnyNumberOfProcessesMayMigrateAtOnce(t *testing.T) {
	url := testservers.SharedPostgres(t)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		s := storeOn(t, testservers.NewPool(t, url, func(c *pgxpool.Config) { c.MaxConns = 1 }))
		wg.Go(func() { errs[i] = s.Migrate(t.Context()) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}
