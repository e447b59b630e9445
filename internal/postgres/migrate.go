package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// versions is the table that keeps which steps of each component were taken.
const versions = `CREATE TABLE IF NOT EXISTS {pairdb_schema} (
	component text COLLATE "C" PRIMARY KEY,
	version   integer NOT NULL CHECK (version > 0)
)`

// migrateLock is the advisory lock under which all migrations of a database take turns. The
// number says "pairdb" in ASCII.
const migrateLock int64 = 0x706169726462

// Migrate takes the steps of a component that have not been taken yet, in one transaction and
// under a lock, so that any number of processes may call it at once, and a failure leaves nothing
// half done. Version n is what the first n steps make, so steps are only ever appended. In a step,
// {name} stands for the table of that name in the schema; a step may have several statements.
//
// schema "" is the first of the connection's search_path; another one is made if it is not there. Where
// there is nothing to do, Migrate only reads, and needs no more than the right to.
//
// Errors: ErrInvalid for the schema's name, ErrNewerSchema (a *NewerSchemaError) where more steps
// were taken than the program knows, else the server's.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema, component string, steps []string) error {
	if schema != "" {
		if err := CheckSchema(schema); err != nil {
			return err
		}
	}
	doing := "migrate " + component
	has, err := Version(ctx, pool, schema, component)
	if err != nil {
		return Explain(ctx, doing, err)
	}
	if has == len(steps) {
		return nil
	}
	// Read committed, whatever the connection's default: the versions are to be read as they are
	// once the lock is had, not as they were when it was asked for.
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted}
	err = pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		return migrate(ctx, tx, schema, component, steps)
	})
	return Explain(ctx, doing, err)
}

func migrate(ctx context.Context, tx pgx.Tx, schema, component string, steps []string) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1::bigint)", migrateLock); err != nil {
		return fmt.Errorf("take turns: %w", err)
	}
	if err := makeSchema(ctx, tx, schema); err != nil {
		return err
	}
	has, err := lockedVersion(ctx, tx, schema, component)
	if err != nil {
		return err
	}
	if has > len(steps) {
		return &NewerSchemaError{Component: component, Has: has, Knows: len(steps)}
	}
	if has == len(steps) {
		return nil
	}
	for i := has; i < len(steps); i++ {
		// The simple protocol takes several statements.
		if _, err := tx.Exec(ctx, SQL(schema, steps[i]), pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	_, err = tx.Exec(ctx, SQL(schema, `INSERT INTO {pairdb_schema} (component, version) VALUES ($1::text, $2::integer)
		ON CONFLICT (component) DO UPDATE SET version = excluded.version`), component, len(steps))
	return err
}

func makeSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	if schema == "" {
		return nil
	}
	// Looked for first, as CREATE SCHEMA IF NOT EXISTS needs the right to create one even if it is there.
	var there bool
	const look = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1::text)"
	if err := tx.QueryRow(ctx, look, schema).Scan(&there); err != nil {
		return fmt.Errorf("look for the schema: %w", err)
	}
	if there {
		return nil
	}
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return fmt.Errorf("make the schema: %w", err)
	}
	return nil
}

// lockedVersion makes the table of versions if it is not there. It needs the advisory lock.
func lockedVersion(ctx context.Context, tx pgx.Tx, schema, component string) (int, error) {
	// In a transaction of its own, so that a missing table does not end the outer one.
	var has int
	err := pgx.BeginFunc(ctx, tx, func(sub pgx.Tx) (err error) {
		has, err = readVersion(ctx, sub, schema, component)
		return err
	})
	if !isMissing(err) {
		return has, err
	}
	_, err = tx.Exec(ctx, SQL(schema, versions))
	return 0, err
}

// Version returns how many steps of a component were taken: 0 if there is no table or schema yet. The
// error is the server's, or ErrNewerSchema's counterpart for tables: a *ColumnError.
func Version(ctx context.Context, pool *pgxpool.Pool, schema, component string) (int, error) {
	has, err := readVersion(ctx, pool, schema, component)
	if isMissing(err) {
		return 0, nil
	}
	return has, err
}

func readVersion(ctx context.Context, q Querier, schema, component string) (int, error) {
	version := 0
	err := Each(ctx, q, SQL(schema, "SELECT version FROM {pairdb_schema} WHERE component = $1::text"), []any{component},
		func(r Row) error {
			v, err := r.Int("version")
			if err != nil {
				return fmt.Errorf("pairdb_schema, component %q: %w", component, err)
			}
			if v < 1 {
				return fmt.Errorf("pairdb_schema, component %q: %w", component, Wrong("version", "%d is below 1", v))
			}
			version = int(v)
			return nil
		})
	return version, err
}

func isMissing(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == codeNoTable || pg.Code == codeNoSchemaName)
}
