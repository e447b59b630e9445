// Package postgres keeps idempotency records in PostgreSQL, for those who run no Redis.
//
// A [Store] is an idempotency.Store on a pool that the caller makes and closes. [Store.Migrate] makes
// the table; any number of processes may call it at once when they start. Each call is one
// statement, and so one round trip and one atomic step.
//
// # The table
//
// pairdb_idempotency has a row per record:
//
//	cluster  text         with tenant, key and token the primary key
//	tenant   text
//	key      bytea        any bytes
//	token    bytea        any bytes
//	record   bytea        as of idempotency.AppendRecord: its head tells the write and whether it is done
//	expires  timestamptz  past it the record counts as absent, by the server's clock
//
// A record of a 100-byte value takes about 270 bytes in the table, 160 when it is finished, and 130 in
// the two indexes; long keys more. Each write makes three to four versions of rows over its life, so
// leave autovacuum on: at thousands of writes a second set autovacuum_vacuum_scale_factor of this
// table to 0.02 or so.
//
// Expired rows are removed in steps of 500 by the Store itself, at most once a minute ([SweepEvery]),
// while it is being written to, and by [Store.Sweep], for a cron job. Both only make room.
//
// A row that cannot be read is idempotency.ErrDamaged, and stays until its time is over or somebody
// deletes it. To delete a row by hand is to forget that its write has happened.
//
// # Durability, and promise P7
//
// A token has at most one effect while its record lives (package idempotency says what happens
// without). So what PostgreSQL may lose of committed transactions matters:
//
//   - fsync = on, synchronous_commit = on or more (the default): a crash of the server, and a
//     restart on the same disk, loses nothing.
//   - synchronous_commit = off: a crash loses the last records, up to three times wal_writer_delay (0.6 s
//     by default). A write whose intent was lost can take effect twice if it is retried after the crash.
//   - Failover to an asynchronous standby loses what had not reached it: the same, for as long as the
//     standby was behind.
//   - With synchronous_standby_names set, and synchronous_commit = on or remote_apply, a failover to a
//     synchronous standby loses nothing. That is what to run where two effects cost money.
//   - Restoring a backup, and UNLOGGED, lose everything since.
//
// # The clock
//
// Expiry is judged by the server's clock. A clock that is set forward, or a failover to a server whose
// clock is ahead, ends records that much earlier; hours of time to live make it not matter.
//
// # What is relied on
//
// A server that speaks PostgreSQL's protocol and has text, bytea, bigint, timestamptz and interval, COLLATE "C",
// INSERT … ON CONFLICT DO UPDATE … RETURNING with CASE and substring of bytea, FOR UPDATE SKIP
// LOCKED, DELETE … USING, and pg_advisory_xact_lock for Migrate. No extension and no superuser: Migrate needs the right to
// create a table and an index (and the schema, if it is not there), the rest SELECT, INSERT, UPDATE and
// DELETE on pairdb_idempotency. It has to be the primary. Poolers in transaction mode may sit between;
// any default isolation level will do.
//
// # Invariants
//
//  1. Begin, Complete and Replace are one INSERT … ON CONFLICT DO UPDATE: under the lock of the row it
//     decides, changes, and answers with the row as it is then. There is no step between
//     looking and writing, and no case in which it answers with nothing.
//  2. now() is one moment for a whole statement: a row is expired for all of it, or for none.
//  3. A row whose record begins with another version is never changed before its time is over.
//  4. A record that is returned was decoded and validated as if a stranger had written it.
//  5. A sweep looks at the time of a row once more when it has its lock: what was renewed stays.
//  6. The pool is never closed here. One goroutine at most runs, the sweep's, and Close joins it.
//  7. Errors name tenant and key, never the token.
package postgres
