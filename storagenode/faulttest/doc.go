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
// # What it shows
//
// P2, P3, P4, P8 and P9 of the design, by the record; P12, for a full disk and one that was replaced; P13, by
// counting goroutines after the clients were closed. That the test can fail is shown by tests of its
// own: nodes that forget and levels that do not overlap have to be caught.
//
// # What it cannot show
//
// That writes are on disk: the kernel keeps what a killed process wrote. The crash tests of
// package storagenode are for that.
//
// PAIRDB_FAULT_SECONDS sets how long the nemesis goes on, PAIRDB_FAULT_SEED its seed.
package faulttest
