// Package quorum decides when enough owners have answered a request: one Write,
// one Read, and one Settle of a write that was left unfinished, each a step machine
// that is handed events and returns work.
//
// Weighted voting (Gifford, "Weighted Voting for Replicated Data", SOSP 1979) with
// a weight of one: of N owners, W acknowledge a write and R answer a read; when R+W > N
// every read meets every acknowledged write. As in Dynamo (DeCandia et al., SOSP 2007)
// the owners are a key's preference list, the coordinator joins versions that differ,
// and whoever was seen behind is repaired. While the topology changes a request
// has two owner sets and must meet its level in each, which is the joint consensus of
// Raft (Ongaro and Ousterhout, USENIX ATC 2014, section 6) for data that needs no leader.
//
// The package is pure: no clock, no network, no goroutine, no lock, no randomness.
// A driver sends what a Step names, and hands in what comes of it, from one goroutine at a
// time:
//
//	step := w.Start()
//	for !step.Done {
//		send(step)                  // to the owners of step.Merge
//		step = w.Reply(wait())      // or w.Fail, or w.Cancel when the caller leaves
//	}
//
// After Done the driver goes on handing in answers until nothing is outstanding,
// within its own bound, and sends the repairs that come of them; then Write.Missed is
// whom to leave a hint for.
//
// A write whose coordinator died may be found recorded elsewhere, and is sent once
// more by whoever finds it: the same Write, with the same dot and context. While
// nodes take the dot that is all, since one dot has one effect. Once they refuse it for
// its age, Write.Fate says what became of the earlier attempts:
//
//	switch fate, holders := w.Fate(); fate { // when w.Outstanding() is empty
//	case quorum.NeverApplied:
//		// it may be written anew, under another dot
//	case quorum.Applied:
//		// if w.Outcome() is not Won: Settle, with these Holders
//	case quorum.Unclear:
//		// it depends on w.Doubtful(): ask again later
//	}
//
// # Invariants
//
//  1. A level is met in each owner set by itself, by distinct owners of that set,
//     each by its own size. An owner of both sets counts in both. A request fails as soon
//     as one set cannot meet it.
//  2. An outcome is decided once and never changes. Step.Done is set on one step of
//     a machine, whatever comes, in whatever order. An attempt is settled once; what
//     comes again, or from an owner that was not asked, changes nothing.
//  3. An owner that has lost its store counts for no quorum. What it says is data:
//     a write is stored there, a state that it still or again holds is joined, and it is
//     repaired.
//  4. A write is NotApplied only if every attempt at every owner was withdrawn
//     before it was handed over or was refused with the promise that it was not applied.
//     One attempt without an answer, or one outstanding, is enough against it.
//  5. A write has one round, and what it covers is settled before its dot is
//     minted. So of two writes at most one covers the other. A write that went out again
//     under a context grown by its acknowledgements would break that: n1 takes d then e,
//     n2 takes e then d; each coordinator is shown {d, e} and sends its own dot once more,
//     covering the other's; {clock [d, e], sibling d} joined with {clock [d, e], sibling e}
//     is a clock without a sibling, and two acknowledged writes are gone. (No
//     register of several writers can have reads and writes that always take one round:
//     Dutta, Guerraoui, Levy and Chakraborty, "How Fast can a Distributed Atomic Read
//     be?", PODC 2004. Writes of one round need servers that order them, and even
//     then have limits: Englert, Georgiou, Musial, Nicolaou and Shvartsman, "On the
//     Efficiency of Atomic Multi-reader, Multi-writer Distributed Memory", OPODIS 2009.)
//     States that supersede the write are joined into repairs, never into the write.
//  6. The context of a Put that is to overwrite whatever is there comes from a
//     clock read before the write, at the larger of the read and the write level (Level.Max).
//     With W of the earlier write and R of the clock read above N together, it covers
//     every write that was acknowledged before.
//  7. A read returns the join of whole states. A digest stands for a whole state
//     only while every digest and every whole state that has come agree; once two differ,
//     only whole states count, and those that gave digests are asked again. Digests
//     cover clocks, not siblings alone: two owners with equal siblings and other clocks
//     would decide differently about a third's.
//  8. Repairs are joins of states that nodes held, never a write on its way. A read
//     that is won repairs every owner that answered with something else than the joined
//     state, the empty ones included, each once for as long as that state does not
//     grow. An absent key, a clock read and a lost read repair nothing.
//  9. That a dot was never applied is said only when every owner of both sets,
//     none amnesiac, has refused it as TooOld, each having looked under the key's
//     latch. Each so refuses it for ever, so what is still on its way comes too late.
//     And none gets it from another node: only what is on disk is read and passed on;
//     the first owner to have it there took it from a client, so before its own
//     refusal, and would have said TooOldSeen. For that, a dot that no owner is known
//     to hold must only ever be sent as a client's. Less is not enough. By a
//     coordinator's clock: a merge is still on its way to n1, whose window is open; the
//     coordinator's clock says that it is closed; n1 takes the dot after all. By a
//     quorum: the third owner holds it. By an amnesiac's word: it held the dot, a repair
//     from it is on its way, and it has forgotten.
//  10. A write is settled by what nodes hold, not by what they say of it. TooOldSeen
//     may speak of a state that a crash takes, so it names whom to ask and is no
//     acknowledgement. Only acknowledgements of the merge of a state that was read
//     and covers the dot count, from owners that are not amnesiac; what is merged is
//     the whole join, so a value that was written over since is not brought
//     back. It is made of states that nodes held, so no age is asked of it.
//
// # Not promised
//
// Atomic writes: one that is Lost may be visible at some owners, then and later,
// unless it is NotApplied. An end for every unfinished write: while an owner is away
// or amnesiac, its fate may stay Unclear. Agreement between requests that run at
// once: that is what the version vectors of package vclock are for. Liveness: a machine
// waits for ever for owners that neither answer nor fail; deadlines and hedges are the
// driver's.
package quorum
