// Package storagenode is the reference storage node: it keeps states on disk with
// Pebble, and serves the protocol of storagepb. The program cmd/pairdb-node wraps it.
//
// # What a node promises
//
//  1. An acknowledged merge is on disk, unless the node was opened with NoSync or
//     Memory; so is everything that a read shows. Many merges share one sync.
//  2. A store belongs to one node of one cluster. It has a random id, made with it:
//     who finds another id under the same node knows that data was lost.
//  3. The first failed write or sync, and the first damage found, end the store's
//     work: from that moment on nothing more is written, as if the process had
//     crashed, and everything is answered with the status DISK. Opening the store
//     again starts from what was on disk then.
//  4. Before the disk is quite full (Reserve), merges are refused with DISK and
//     nothing is harmed: reads go on, and merges do when there is space.
//
// # What it does not promise
//
// A disk that loses what it has reported as synced, so that no trace of it is
// left, cannot be found out by the node alone. Other owners hold the data.
//
// Nor does a copy of the directory know that it is one: it has the same store id.
// An older copy that is put in the store's place lacks acknowledged writes and
// counts for quorums as if it had them, and so does a second node that is started
// on a copy. So never restore an older copy and never run a copied directory. When
// a store is lost or damaged, move its directory away and start empty: the node
// comes back with a new store id, which an operator accepts in the topology.
package storagenode
