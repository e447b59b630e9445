package topology

import "context"

// A Source tells what the cluster is, and when that changes.
//
// Who calls: each client that was opened with it, from one goroutine of its own
// that calls Watch in a loop, and Open on its caller's goroutine. Several clients
// may share a Source, so any number of goroutines may be in Watch at once, and each
// of them learns of each change (a caller that is slow learns the latest only).
//
// Watch returns the current topology as soon as its epoch is greater than after:
// at once if it is already, else when it has grown. After 0 means the current one,
// whatever its epoch. With an after that the source has not reached, it waits.
//
// Ownership: the answer is shared and nobody changes it again (invariant 1 of the
// package): not the source, not the caller.
//
// Errors:
//   - ctx's error, when ctx ended before there was an answer. No goroutine of the
//     call outlives it.
//   - ErrInvalid: what the source was given breaks a rule. Open fails with it at once.
//     A client that is open stays with the topology that it has, reports the
//     error, and asks again at the pace of its backoff, since a file can be mended.
//   - Any other error is a temporary failure: both ask again with backoff.
//
// A source that knows a valid topology goes on answering with it after an error:
// Watch with 0 succeeds.
//
// topologytest.Run checks the contract.
type Source interface {
	Watch(ctx context.Context, after uint64) (*Topology, error)
}

// A Recorder is a Source that keeps which store each node was first seen with, so
// that a node which comes back with another one is known to have lost its data
// also by clients that started since.
//
// Who calls: each client, on a goroutine of its own, when a node without a StoreID in
// the topology has told the one that it has.
type Recorder interface {
	Source

	// RecordStore makes store the StoreID of the node, if it has none; then the epoch
	// grows by one. If it has one, nothing changes, and there is no error: the
	// topology decides. An unknown node is ErrInvalid. Any other error is
	// temporary; the caller tries again with backoff.
	RecordStore(ctx context.Context, node NodeID, store uint64) error
}
