// Package tenant says which tenants may use a cluster, and how each one's keys
// are replicated.
//
// A [Config] is what there is to know about one tenant. A coordinator asks a
// [Reader] for it at the start of every request. [Any] answers for every valid
// id, for programs whose tenants are known elsewhere; [Static] answers for
// a fixed list and refuses the rest.
//
// A [Store] keeps tenants that programs create, change and delete: [Memory] in this process,
// package tenant/postgres in a database. A [Cache] stands between a Store and a coordinator, so that
// no request waits for a database that is slow, or fails for one that is down.
//
// # Invariants
//
//  1. A Config that a Reader answers with passes [Config.Validate], and its ID is the
//     id that was asked for.
//  2. A level that a tenant sets can be had of its replicas: All and Quorum
//     always, Three only from three up. What the client or a call sets is checked
//     where it is used, since it is not known here.
//  3. ID, Replicas and Policy of a tenant never change while its keys exist. Another
//     replication factor would look for keys on nodes that do not have them; a
//     single last-write-wins merge on a causal key would lose siblings.
//  4. Readers and configs hold no references that a caller can change: a Config
//     is a plain value, copied in and out.
//  5. Answering for a tenant that is at hand allocates nothing and does not block.
//  6. A tenant that a Cache holds is never refused because the store is down, slow or wrong: it
//     is served as it was last seen, without limit of age, until the store says that there is none
//     of that id. By invariant 3 that can mean levels and limits of the past, never other owners
//     or another policy, and an answer of the store that says otherwise is not believed.
//  7. While the store answers within 100 ms, a Cache serves no config that is older than its TTL. For
//     30 s after a load failed it may, as no Get waits then; the refreshes behind them see that
//     the store is back within 5 s.
//  8. What a Cache holds of a tenant only ever grows in version. What a load or a change came to
//     is held only as far as nothing that was told, changed or found since it began may be lost by it: see
//     the interleavings in cacheload.go and cachestore.go.
//  9. Unknown ids are held apart from known tenants, so no number of them pushes one out. What
//     waits, runs or is held in a Cache is bounded by a constant that says why.
//
// # Locks
//
// A Cache's mu is never held together with another lock. It is held for no question to the store, no
// listener and no channel operation. A Get of a fresh tenant takes no lock.
package tenant
