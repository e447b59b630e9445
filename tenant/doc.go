// Package tenant says which tenants may use a cluster, and how each one's keys
// are replicated.
//
// A [Config] is what there is to know about one tenant. A coordinator asks a
// [Reader] for it at the start of every request. [Any] answers for every valid
// id, for programs whose tenants are known elsewhere; [Static] answers for
// a fixed list and refuses the rest.
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
package tenant
