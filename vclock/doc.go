// Package vclock implements version vectors, the hybrid logical clock that
// stamps their entries, and the join of the states that they describe.
//
// A version vector says which writes a copy of some data has seen: here, for each
// actor, the greatest stamp. It looks like a vector clock and is compared in the
// same way, but a vector clock orders the events of processes (each message and
// each local step ticks), while a version vector tracks what replicas of data have
// seen (only writes tick, and receiving one is a join). The comparison is from
// Parker et al., "Detection of Mutual Inconsistency in Distributed Systems" (1983).
// Naming each write by a dot of its own, apart from the vector that it had seen, is
// from Preguiça, Baquero et al., "Dotted Version Vectors" (2010; "Efficient
// Causality Tracking for Eventually Consistent Storage Systems", 2012): siblings
// are told apart exactly. Stamps are from Kulkarni et al., "Logical Physical Clocks"
// (2014).
//
// A replica holds a [State] per key and changes it by [Join] alone. A coordinator
// makes a write's dot with a [Minter] and an [HLC], and its state with
// [WriteState]. What a reader saw travels to its next write as a [Context].
//
// The package is pure: it reads no clock, draws no random numbers of its own,
// starts nothing and locks nothing. Values are immutable once made, and may be
// shared; [HLC] and [Minter] change, and their callers guard them.
//
// # Invariants
//
//  1. An actor is a causal chain per key: the context of each later write of an
//     actor to a key covers the actor's earlier ones. Only then may "covered by
//     the clock" stand for "in the causal history". [Minter] keeps it, without
//     asking anybody, at every consistency level and whatever the clocks say.
//  2. A dot names one write, for ever. A retry, a hint or a replay carries the dot
//     of the write that it repeats; two siblings with one dot are the same write.
//  3. No two writes have each seen the other. Who grows the context of a write
//     that was sent already must keep this; where it is broken a join keeps
//     neither write.
//  4. Join is commutative, associative and idempotent over states that keep 1 to 3.
//  5. Clocks ascend strictly by actor, without zero stamps; siblings ascend
//     strictly by actor, then stamp. So equal states have equal digests and equal
//     bytes.
//  6. A causal state's clock covers its siblings' dots, and one with a clock has a
//     sibling. A last-write-wins state has no clock and at most one sibling.
//  7. Stamps never decide causality. They order siblings for a default choice and
//     for last-write-wins tenants, and bound how old a message may be.
//
// # Not promised
//
// A [Context] is checked for damage and for use on another key, not for forgery:
// a forged one can claim to have seen writes that do not exist. Nodes bound
// that harm by refusing entries from the future.
package vclock
