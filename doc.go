// Package pairdb is a Dynamo-style, multi-tenant, replicated key-value store
// whose coordinator runs in your process: a [Client] holds the hash ring, runs the
// quorums and merges version vectors itself, and talks straight to the storage
// nodes. There is no proxy tier, no extra hop and no leader.
//
//	client, err := pairdb.Open(ctx, topology.Addrs("shop", "n1=10.0.0.1:7100", "n2=10.0.0.2:7100", "n3=10.0.0.3:7100"))
//	…
//	carts := client.Tenant("carts")
//	_, err = carts.Put(ctx, "user/42", []byte("apples"))
//	obj, err := carts.Get(ctx, "user/42")
//
// # Words
//
// A key of a tenant hashes to a token; a partition is an equal slice of token
// space; its preference list names the N nodes that own it, its replicas. The client
// is the coordinator of its requests. Each write has a dot, its unique name; a version
// vector says which dots have been seen; the context that Get returns is one, and a write that
// is given it ([After]) replaces just what was seen. Values that no later write has
// seen stay beside each other as siblings; a tombstone is a sibling that says
// "deleted". States of a key are joined, on nodes and in the client; a join loses
// nothing and may be repeated. Read repair is the joining of what a read found
// into the owners that lacked it.
//
// # Levels
//
// A call succeeds when as many owners as its level asks for have answered: [One],
// [Two], [Three], [Quorum] (more than half) or [All]. A read sees an acknowledged
// write for certain where read and write levels overlap (R + W > N), as Quorum and Quorum do.
//
// # Promises
//
// While at most min(N−W, N−R) owners are unavailable and disks keep what they synced:
//
//   - P1 Durability: an acknowledged write is on disk on at least W distinct owners.
//   - P2 Visibility: with R+W > N, a Get begun after a Put was acknowledged
//     returns that value, a causal successor, or siblings that contain it.
//   - P3 No silent loss: a value disappears only through a write or delete whose
//     context covered it.
//   - P4 Overwrite: with W(earlier) plus the larger of R and W > N, a Put without a
//     context covers every write acknowledged before it began, whatever the clocks say.
//   - P5 Last-write-wins tenants: with R+W > N a Get returns the write with the
//     greatest (stamp, actor) among those acknowledged before it began, or a greater
//     one. Greater is not later when clocks disagree; [Receipt].Superseded says so.
//   - P6 One write, one effect: retries and repairs carry the same dot.
//   - P8 [ErrNotApplied] never becomes visible. [ErrUnknown] may.
//   - P9 Delete hides exactly what its context covered; concurrent writes survive.
//   - P11 Bounded: queues, tails, hedges, siblings, caches and repairs each have a
//     stated bound.
//   - P12 Bad input, an unreachable owner, a full disk or a cancelled context each
//     give a clear error and lose nothing.
//   - P13 Close waits for the client's goroutines and leaves none behind.
//
// P2 to P4 are of causal tenants, the default. Nothing here is atomic over several keys, and
// [Tenant.Update] is not atomic across clients.
//
// # Errors
//
// Every error of a write is [ErrNotApplied] or [ErrUnknown] by [errors.Is]; after the
// first the same call may be repeated, after the second the write may be there: read before you
// decide. [Retryable] says whether repeating the same call is safe and of use.
//
// # Locks
//
// A request's lock (writeRequest.mu, readRequest.mu) comes before a connection's;
// the locks of the memories, the clock and the turns of updates are leaves. Hooks and
// repairs run with no lock held. Operations of a request that has returned
// go on without a goroutine, fed by the connections' own.
package pairdb
