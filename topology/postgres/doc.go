// Package postgres keeps the topology of a cluster in PostgreSQL: the nodes, the epoch, and which
// store each node has.
//
// A [Store] is a topology.Source, so a client can be opened with it, and a topology.Recorder:
// clients record the store id of each node that they meet first, so that a node that comes back empty
// is known for it also by clients that start later. Operators' programs call [Store.Create] once, then
// [Store.Update] and [Store.AcceptStore], and before the first client [Store.UpdateEmpty], if Create's
// topology was wrong. The pool is the caller's, who makes and closes it.
//
// # What may change
//
// Nothing moves data from node to node, so Update refuses a topology under which any tenant's key would have other
// owners with ErrMoves, always: that is what a change of nodes, zones or weights does. Addresses, states and store ids
// can change at any time. Partitions, hash and the cluster's name never change.
//
// A cluster that is empty cannot be told from one in use. Recorded store ids show that clients have been there; that
// none is recorded shows nothing: the clients' role may only read, the database was away, or what they wrote came
// before the first RecordStore. So it takes an operator's word, UpdateEmpty, that no key has been written and no
// client is open; then nodes, zones and weights may change. It is refused with ErrInUse where a store id is recorded.
//
// # A role that may only read
//
// Clients watch the topology with it, and log that store ids cannot be recorded. Then a client that starts after
// a disk was exchanged does not know it: v is acknowledged by n1 and n2, n2 comes back with an empty disk, the client
// starts, asks n2 and n3, and does not find v. Give the right to record store ids (SELECT and UPDATE on
// pairdb_clusters, SELECT, INSERT and UPDATE on pairdb_nodes), or have an operator's program call AcceptStore for
// every node before the first key is written.
//
// # The tables
//
//	pairdb_clusters   cluster text, epoch bigint, partitions integer, hash text, updated timestamptz
//	pairdb_nodes      cluster text, id text, addr text, zone text ("" is none), weight double precision,
//	                  state text (active or draining), store_id text (16 hex digits; NULL is unknown)
//
// Whoever changes a row by hand raises the cluster's epoch in the same transaction, else clients
// refuse what they read; NOTIFY pairdb_topology, '<cluster>' makes them read at once.
//
// # What is relied on
//
// A server that speaks PostgreSQL's protocol and has text, integer, bigint, double precision, timestamptz,
// CHECK, REFERENCES, COLLATE "C", INSERT … ON CONFLICT, SELECT … FOR UPDATE, and pg_advisory_xact_lock for
// Migrate. No extension, no superuser: Migrate needs the right to create tables (and the schema, if it is not
// there), the rest SELECT, INSERT, UPDATE and DELETE on the two tables.
//
// Changes are told by pg_notify and LISTEN, on one connection besides the pool's per Store, however many wait; it is there
// while somebody waits. Behind it is polling ([PollEvery]): where a pooler in transaction mode swallows what is told,
// or the server knows no LISTEN ([WithoutNotify]), changes are seen that much later.
//
// # Invariants
//
//  1. A change is one transaction that holds the lock on the cluster's row, and its epoch is one more than the one
//     before: of two that began from one epoch, the second is refused. It is told if and only if it was made.
//  2. What is read, is read in one statement, and checked as if a stranger had written it. What breaks a rule
//     is topology.ErrInvalid by row and column.
//  3. Watch answers never go back to an earlier epoch, nor to another topology of the same one, whatever the
//     database says (a backup that was put back): that is topology.ErrInvalid, and the topology that is known stays.
//  4. Once a topology is known, Watch with 0 answers with it also while the database is down. All other waiting ends
//     with an error then, so that who waits can say so.
//  5. A store id that was recorded is never forgotten, only replaced by AcceptStore or Update.
//  6. No goroutine runs while nobody is in Watch.
//  7. Update gives no key other owners, whatever is recorded. What is not recorded proves nothing.
//
// Store.mu is never held during I/O. Store.turn is, and is taken before mu.
package postgres
