// Package node is a storage node without its disk: the joins, the checks, the
// group commit and the gRPC service of storagepb, over any Engine.
//
// A Core holds the rules, a Server speaks the protocol for it, by gRPC and by package framed. Package
// storagenode puts them on Pebble, package pairdbtest on a Memory engine.
//
// # Invariants
//
//  1. A state changes by vclock.Join alone: read, join and write of a key happen
//     under its latch.
//  2. A latch is a lock on one of a fixed number of stripes of token space. Who
//     needs several takes them in ascending order. Latches are held while the
//     engine reads and applies, never while it syncs, and never while waiting
//     for another goroutine.
//  3. Nothing that leaves the node says more than the disk holds. Every change has
//     a sequence number; a stripe remembers its last; an answer that was derived
//     from a stripe leaves after that number is on disk. This holds for a merge
//     that changed nothing and for a read as well. (z, which covers d, is applied
//     but not synced; d arrives, changes nothing, is acknowledged at once; the
//     node crashes: both are gone.)
//  4. A sequence number is given out after its change was applied, so a sync that
//     begins later covers every number given out before it.
//  5. A refusal is made before anything is applied, and stays true: what was
//     answered with a refusal is never applied by that operation later.
//  6. Who was told TOO_OLD may rely on it: a floor above the refused dot is on disk
//     before the refusal leaves, a little ahead, and never goes back. Nothing else
//     raises that floor, so that a clock which is ahead for a moment shuts nobody
//     out. (The clock jumps a day ahead and back; had the floor followed it, the
//     node would refuse every write for a day, after a restart too.)
//  7. Once the engine has failed, the node answers DISK to everything until it is
//     opened again: what an engine holds after a failure is a guess. Operations
//     that were in its hands at that moment are answered FAILED.
//  8. All work in hand is bounded, per stream (the stream is read no further) and
//     per node (OVERLOADED).
//
// # When the floor is ahead of the clock
//
// A node that refused writes under a clock that was ahead, and whose clients'
// clocks were ahead as well, has a floor in the future once both are right. It
// says so in its log and in its refusals. The floor is a promise: wait until the
// time that the log names, or replace the store as for a lost disk.
//
// # Lock order
//
// latches (ascending) → engine; exchange → alarm. The mutexes of syncer, load, alarm, clock and notice are
// leaves: nothing else is taken, called or waited for under them.
package node
