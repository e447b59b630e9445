package postgres_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"

	"github.com/devrev/pairdb/internal/testservers"
)

//pairdb:needs postgres

func TestARecordOfAHundredBytesTakesLittleMore(t *testing.T) {
	const records = 1000
	s, pool := newStore(t)
	value := strings.Repeat("x", 100)
	per := func() (table, index int64) {
		exec(t, pool, "VACUUM FULL pairdb_idempotency")
		require.NoError(t, pool.QueryRow(t.Context(),
			"SELECT pg_table_size('pairdb_idempotency'), pg_indexes_size('pairdb_idempotency')").Scan(&table, &index))
		return table / records, index / records
	}
	keys := make([]idempotency.Key, records)
	for n := range keys {
		keys[n] = freshKey()
		_, _, err := s.Begin(t.Context(), keys[n], put(1, value), time.Hour)
		require.NoError(t, err)
	}
	i := put(1, value)
	begun, index := per()
	t.Logf("unfinished: %d bytes encoded, %d in the table and %d in its indexes",
		len(idempotency.AppendRecord(nil, idempotency.Record{Intent: i})), begun, index)
	for _, key := range keys {
		require.NoError(t, s.Complete(t.Context(), key, i, idempotency.Result{Acked: 2, Owners: 3}, time.Hour))
	}
	finished, index := per()
	t.Logf("finished: %d bytes encoded, %d in the table and %d in its indexes",
		len(idempotency.AppendRecord(nil, idempotency.Finished(i, idempotency.Result{}))), finished, index)
	require.Less(t, begun+index, int64(600))
	require.Less(t, finished, begun-90, "the value is gone")
}

func TestEachCallIsOneStatement(t *testing.T) {
	_, migrated := newStore(t)
	var statements countingTracer
	s := storeOn(t, testservers.NewPool(t, migrated.Config().ConnString(), func(c *pgxpool.Config) { c.ConnConfig.Tracer = &statements }))
	key := freshKey()
	for name, call := range map[string]func() error{
		"lookup": func() error { _, _, err := s.Lookup(t.Context(), key); return err },
		"begin":  func() error { _, _, err := s.Begin(t.Context(), key, put(1, "a"), time.Hour); return err },
		"replace": func() error {
			_, _, err := s.Replace(t.Context(), key, put(1, "a").Dot(), put(1, "a"), time.Hour)
			return err
		},
		"complete": func() error { return s.Complete(t.Context(), key, put(1, "a"), idempotency.Result{}, time.Hour) },
	} {
		require.NoError(t, call()) // whatever is made ready at first
		s.Close()                  // and the sweep at the first write
		before := statements.n.Load()
		require.NoError(t, call())
		require.EqualValues(t, 1, statements.n.Load()-before, name)
	}
}

// countingTracer counts what is sent to the server.
type countingTracer struct{ n atomic.Int64 }

func (c *countingTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (c *countingTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func BenchmarkBegin(b *testing.B) {
	s, _ := newStore(b)
	i := put(1, strings.Repeat("x", 100))
	for b.Loop() {
		if _, _, err := s.Begin(b.Context(), freshKey(), i, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
