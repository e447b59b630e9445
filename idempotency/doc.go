// Package idempotency makes a write that is retried take effect once: the records of
// it, the stores that keep them, and the protocol that the client follows with them.
//
// A caller who got an error, or crashed, cannot know whether its write was stored. With
// pairdb.WithIdempotencyKey(token) it may repeat the call, from any process, as often as it likes:
// all attempts under one token, for one key of one tenant, are one write, with one dot. Who
// has no token of its own makes one with [NewKey], and keeps it where the retry finds it.
//
// [Memory] is a [Store] of one process. Package idempotency/redis and idempotency/postgres keep
// records for many. [Store] says what one has to do; package idempotencytest checks it.
//
// # Records
//
// A record is kept under a [Key]. It begins as an [Intent]: the write just as it is
// sent to the storage nodes, with its dot, its context and its value, and the
// [Fingerprint] of what was asked for. It ends as a finished record: the same without the value, and
// the [Result]. The fingerprint tells a retry from another request under the same token: operation,
// tenant, key and, but for Update, value, time to live and explicit context. The level
// and the timeout may differ. Of an Update the value that its function gave first stays.
//
// # The protocol
//
// A call under a token:
//
//	begin     mint a dot, find out what the write covers, and record that as the intent, if there is
//	          no record. No record could be made or read: ErrNotApplied, nothing was sent.
//	compare   The record is of another fingerprint: ErrIdempotencyConflict, and nothing is changed.
//	answer    The record is finished: its receipt, marked as a duplicate. Nothing is sent.
//	write     The intent is unfinished, this call's own or not: send its very dot, context
//	          and value to all owners. At the level:
//	complete  record the result. A failure of that does not matter: the write is a
//	          success, and the next attempt sends the dot once more, which changes nothing.
//
// So whoever meets an unfinished intent goes on with it at once. There is no waiting, no lease and
// no leader: the same dot delivered any number of times, by any number of processes, in any order, has
// one effect. The dot that the call minted for itself is then not used.
//
// Storage nodes refuse a client's write whose dot is older than the write window (10 minutes by
// default). A replay of an intent that is too old is answered by each owner, under the
// key's latch, with whether its state covers the dot. Then
//
//	replace   All N owners, none of them amnesiac, have refused the dot as too old and have not seen it. No
//	          owner has it and none will ever take it: the intent is replaced by a fresh one, by
//	          compare-and-set on the old dot, and that is written. Who comes second meets the first's.
//	settle    Some have seen it: the write has taken effect. What they hold for the key is read, joined and
//	          sent to all owners as a merge between nodes, which no age is asked of. Acknowledgements of
//	          that merge alone count toward the level.
//	give up   Neither can be known, as an owner cannot be asked or has lost its store: ErrUnknown. The
//	          record stays, and a later attempt asks again.
//
// For last-write-wins tenants an owner that holds a sibling at or above the dot's (stamp, actor) settles it;
// if the sibling is greater, as a success that is Superseded.
//
// # Invariants
//
//  1. Nothing is sent to a storage node before its intent is recorded. (A client that was opened to go on
//     without its store, with FailOpen, gives up P7 for as long as the store is away.)
//  2. An intent is complete: dot, context and value. A replay decides nothing, reads nothing and
//     mints nothing, so that all replays are the same write.
//  3. Of its own actor a causal intent's clock has seen the write itself and nothing later.
//  4. Under a key there is one record at a time, and what decides between two writers is one atomic
//     step in the store: begin if absent, replace if the dot is the old one and unfinished.
//  5. A finished record stays as it is until its time to live is over.
//  6. An intent is replaced only if its dot has no effect and can never have one, by the word of
//     all N owners. No coordinator's clock takes part in that.
//  7. A write under a token has one round. What it covers is fixed before it is recorded; it is never
//     sent with a larger context.
//  8. A record is a success only by acknowledgements that count toward the level of the call that
//     completes it. Result says how many those were.
//  9. A token is bound to cluster, tenant and key: the same one used with another key is another record.
//
// # Interleavings
//
// Each is why a sentence above reads as it does. Owners n1, n2, n3, quorums of two.
//
// A lane that forgets (a coordinator's memory of the dots that it has minted, see package vclock). It is why a
// dot that was offered to a store is never taken back, even if the call that minted it has failed:
//
//	A  mints d under actor a; begin(d) is recorded, the answer is lost; A gives up, sends nothing
//	A  forgets d, and mints e under a, whose context does not cover d; e is acknowledged: clocks say a@e
//	B  retries under the token, meets d, sends it; the owners' clocks cover a@d, since d < e
//	→  d is acknowledged as seen, and was never stored
//
// Settling by a coordinator's clock. It is why all N owners are asked, and answer under the latch:
//
//	A  begins d, and sends it; the merge to n1 is slow, those to n2 and n3 are lost
//	B  its clock is ahead: the window must be over; n2 and n3 have not seen d; B replaces d by e, and writes e
//	n1 applies d: by its own clock the window is open
//	→  d and e are both stored: two effects of one token. (Had n1 been asked, it would have had to refuse d
//	   first; who refuses a dot as too old never takes it later.)
//
// A second round. It is why a Put under a token that overwrites takes its context from a clock read,
// records it, and is never sent with another:
//
//	A  begins d, which covers nothing, and sends it; it is acknowledged; A crashes before it completes
//	C  writes x, which does not know of d; d and x are siblings
//	B  retries, sends d; the acknowledgements show x, which d does not cover; B sends d again, covering x
//	→  x, written after d took effect, is gone
//
// # What is lost with a store's records
//
// P7 (at most one logical effect) holds while the record lives. A record that is gone, because its time to
// live is over, the store evicted it, or a failover went to a replica that did not have it, is a retry that
// nobody recognises: it is begun as another write, under another dot. What becomes of it then is
// what becomes of any repeated write: a Put writes its value again, over what was written in between (or
// beside it, with an explicit context); an Update applies its function twice; a Delete deletes again. Nothing
// else is harmed: no acknowledged write of others is lost beyond what that write covers, and no state
// on the nodes is damaged. A record that is lost between begin and complete is made anew by complete.
//
// So the time to live must be longer than anybody retries, and what a store's configuration may lose is
// to be known: the packages of the stores say it.
package idempotency
