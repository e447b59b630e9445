// Package redis keeps idempotency records in Redis, by way of go-redis, on a single server, through
// Sentinel, or in a Redis Cluster.
//
// A record is one string at one key:
//
//	pairdb:idem:CLUSTER:TENANT:DIGEST
//
// The digest stands for the key and the token, which may have any bytes: see Store.RecordName. The string is
// idempotency.AppendRecord's. An operator can list a tenant's records with SCAN MATCH
// pairdb:idem:CLUSTER:TENANT:*, and take one away with DEL, which is to lose it (below).
//
// # Invariants
//
//  1. All that decides is done in one script on one key, so in one slot and in one round trip (two where the
//     server does not have the script yet). Lookup is a GET.
//  2. Whose a record is, its dot says. So every call can be repeated, as go-redis does by itself
//     when an answer is lost.
//  3. What is no record of a version that this program knows is never overwritten. The scripts go by a
//     record's head: one whose head is whole and whose rest is not is ErrDamaged to all but
//     Complete, which mends it.
//  4. Whatever is written has a time to live, in milliseconds, rounded up. The server's clock
//     judges it: one that leaps ahead loses records.
//  5. A name has no braces, which would move it to another slot, and at most 418 bytes.
//
// # Promise P7 and the durability of Redis
//
// An idempotency key has at most one effect while its record lives. A record that is lost before its time
// makes the retry of its write another write, with a dot of its own: a Put brings its value back over
// what was written since, an Update takes effect twice. Nothing says that it happened. An older copy of a
// record, as a replica may have, is harmless as long as it has the same dot.
//
// How a server loses records, and what to set:
//
//   - It restarts. Without "appendonly yes" all records since the last snapshot are gone. With it,
//     "appendfsync always" keeps every record that was answered for; "everysec", the default, loses up to
//     about two seconds when the machine crashes, and little or nothing when the process alone does; "no"
//     loses what the kernel had not written.
//   - It fails over. Replication is asynchronous: a record that the replica did not get in time is lost, and what
//     an isolated master still accepts is lost as well. "min-replicas-to-write 1" and
//     "min-replicas-max-lag 10" bound that to seconds: such a master then refuses (ErrNotReady). WAIT is not used: it would
//     cost every record the way to a replica and back, and a failover may still choose another one.
//   - It is full. With any maxmemory-policy but "noeviction" a server that has a maxmemory drops records
//     without a word: Begin and Replace refuse it with ErrEvicting, before anything is recorded. The
//     server is asked at first and about once a minute; in a Cluster, every master is. Many managed services forbid CONFIG GET: they are
//     not asked, so see to the policy yourself. Under "noeviction" a full server is
//     idempotency.ErrFull, and the write is not made.
//   - Somebody deletes them: FLUSHALL, DEL, a restored backup. Give the records a server that is no cache.
//
// Who needs P7 through the loss of a machine uses "appendfsync always" and waits for that machine's disk, or
// package idempotency/postgres with synchronous replication.
//
// A configuration to start from:
//
//	maxmemory 1gb
//	maxmemory-policy noeviction
//	appendonly yes
//	appendfsync always
//	min-replicas-to-write 1       # where there are replicas
//	min-replicas-max-lag 10
//	user app on >PASSWORD ~pairdb:idem:* +get +set +pexpire +eval +evalsha +config|get
//
// Without the last right the store works, and eviction goes unnoticed. The client of a Cluster asks for its
// map too: +cluster|slots +cluster|shards +command.
//
// # Memory
//
// A record of a 100-byte value takes about 350 bytes of the server, and about 240 when it is finished, since
// the value is dropped then: a million finished records take 0.25 GB, whatever their values. Each
// actor in the write's clock adds up to 20 bytes.
// TestTheMemoryOfARecord prints the figures.
//
// # The client
//
// New wants ContextTimeoutEnabled: without it go-redis waits for ReadTimeout (5 s), whatever the call's
// deadline is, and that for each of its attempts. It notices a context that is cancelled without a deadline between
// attempts alone. MaxRetries and DialerRetries say how long a server that is away is tried: with the
// defaults for as long as the call may take, and the error is then that its time was over. With 1 and 1
// it says that the connection was refused.
//
// Let no client read from replicas (ReadOnly, RouteByLatency, RouteRandomly, ReplicaOnly). Records are written on
// masters all the same, but Lookup may miss one; Begin then finds it. A Ring loses records: while it
// takes a server for down, that server's records are looked for on another.
//
// Redis 5 or later has all that is used, and so has what speaks its protocol and runs Lua: GET, SET with PX,
// PEXPIRE, EVAL, EVALSHA. The tests run on Redis 7.
package redis
