// Package faulttest is a test: several clients work on storage nodes that run as real
// processes, while a nemesis kills, stops and restarts the processes, cuts links
// and replaces clients. What the clients were told is then checked against the promises.
//
// # How it works
//
//   - A process is a child that runs cmd/pairdb-node on a directory of its own. It dies with the test,
//     however the test ends.
//   - A link is a TCP proxy between one client and one node. It can refuse, hold back, drop or
//     delay the bytes of either direction, and break once requests have passed.
//   - A coordinator is a client that can be replaced by a fresh one while workers use it.
//   - The nemesis goes through phases: it strikes one node, now and then two, by
//     its process or by its links, waits, and heals what it did. Its choices come from a seed,
//     so a seed gives the same schedule, though not the same interleaving.
//   - Package internal/history makes the calls, records them, and checks the record.
//
// # Exactly once
//
// A second trial is for idempotency keys. Its workers are processes too: this test's program, run again. They
// repeat the same writes under the same keys, each with a client of its own, through links of its own, on one
// Redis, and each kills itself with SIGKILL at a step that it is told: around each call of the store, or
// after so many writes to nodes' connections. Nodes and links are struck as above, and Redis is killed, stopped
// and frozen. The write window is short, so that what a worker left behind grows too old, and has to be settled
// or replaced.
//
// Nodes write an audit log of the dots that they first applied, and workers note each receipt. In the end every
// write is repeated until it succeeds; then receipts, audit logs and what the keys hold must agree on one
// dot per idempotency key. One thing is forgiven, and counted: a dot that a node applied within a second
// before it was killed may have gone with it, since the log's line comes before the disk's sync. Nobody was told of
// it, and no state may have seen it.
//
// # What it shows
//
// P2, P3, P4, P8 and P9 of the design, by the record; P7, by receipts, audit logs and values; P12, for a full disk
// and one that was replaced; P13, by counting goroutines after the clients were closed. That the test can fail is shown by tests of its
// own: nodes that forget and levels that do not overlap have to be caught, and so have processes that take
// a fresh key for each try and a Redis that forgets.
//
// # What it cannot show
//
// That writes are on disk: the kernel keeps what a killed process wrote. The crash tests of
// package storagenode are for that.
//
// PAIRDB_FAULT_SECONDS sets how long the nemesis goes on, PAIRDB_FAULT_SEED its seed.
package faulttest
