// Package postgres is what pairdb's PostgreSQL adapters share: migrations of their tables, names,
// errors that say what to do, rows that somebody may have changed by hand, and a connection
// that listens.
//
// # What is relied on
//
// A server that speaks PostgreSQL's protocol 3, and of its SQL: the types text, integer, bigint,
// double precision, bytea and timestamptz; PRIMARY KEY, CHECK and REFERENCES; COLLATE "C";
// INSERT … ON CONFLICT; RETURNING; a data-modifying statement in WITH; SELECT … FOR UPDATE; read
// committed transactions; pg_advisory_xact_lock, pg_notify and LISTEN. DateStyle is ISO, as it is
// by default. No extension is used, no function is made, and no superuser is needed: Migrate needs the right to create tables in the
// schema (and the schema, if it is not there), everything else SELECT, INSERT, UPDATE
// and DELETE on the adapter's tables.
//
// A standby that is read from answers reads; what writes fails with an advice to use the primary.
//
// # Poolers
//
// Nothing outlasts a transaction but LISTEN, so a pooler in transaction mode can sit
// between; pgx has to be told so where the pooler does not follow prepared statements
// (ConnConfig.DefaultQueryExecMode). LISTEN needs a connection of its own: a pooler in
// transaction mode takes it and never delivers anything, and a server without it refuses. Either
// way changes are seen later, by polling or when a cache's entries have run out, and never not at all.
//
// # Invariants
//
//  1. Migrate runs each step once, whoever else migrates at the same time, and all that it does is
//     there whole or not at all: one transaction, under one advisory lock.
//  2. A name that a user chose reaches SQL only through [Table], quoted; a value only as a parameter.
//  3. The pool is the user's: it is never closed, and no connection of it is held beyond a call.
//  4. Every error keeps its cause: errors.As finds the *pgconn.PgError, errors.Is the context's error.
//  5. Listen leaves no goroutine behind.
package postgres
