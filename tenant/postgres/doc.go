// Package postgres keeps tenants in PostgreSQL.
//
// A [Store] is a tenant.Store and a tenant.Watcher on a pool that the caller makes and closes. It
// asks the database each time, so clients read through a tenant.Cache in front of it. [Store.Migrate]
// makes the table; any number of processes may call it at once when they start.
//
// # The table
//
// pairdb_tenants has a row per tenant, made to be read, and with care changed, by people:
//
//	id               text         the tenant's id
//	replicas         integer      1 to 7
//	read_level       text         default, one, two, three, quorum or all
//	write_level      text         the same
//	policy           text         causal or last-write-wins
//	max_value_bytes  bigint       0 is the client's limit
//	version          bigint       raise it with every change
//	created          timestamptz
//	updated          timestamptz
//	deleted          timestamptz  when the tenant was deleted; NULL while it is there
//
// Whoever changes a row by hand raises its version and runs NOTIFY pairdb_tenants, '<id>', else
// caches learn of it when their entries run out. replicas and policy of a tenant that has keys are
// never to be changed: the keys would not be found, or siblings be lost.
//
// # What is relied on
//
// A server that speaks PostgreSQL's protocol and has text, integer, bigint, timestamptz, CHECK,
// COLLATE "C", INSERT … ON CONFLICT, RETURNING, a data-modifying statement in WITH, and
// pg_advisory_xact_lock for Migrate. No extension, no superuser: Migrate needs the right to create a table
// (and the schema, if it is not there), the rest SELECT, INSERT and UPDATE on pairdb_tenants.
// Changes are told by pg_notify and LISTEN, on one connection besides the pool's per Watch. Behind a pooler in
// transaction mode LISTEN delivers nothing, and some servers have none ([WithoutNotify]): then caches see a
// change when their entries run out, within their TTL.
//
// # Invariants
//
//  1. Each method is one statement, and so one step; Update and Delete ask once more, only to say why
//     they changed nothing.
//  2. A Config that is returned was checked as if a stranger had written it. A row that breaks a rule, or
//     has NULL or another type where it must not, is ErrDamaged by id and column, never
//     another config. A cache goes on with what it had.
//  3. Times are the server's.
//  4. The row of a deleted tenant stays: its id is reserved.
//  5. The pool is never closed here.
package postgres
