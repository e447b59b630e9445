// Package replica is the connection to one storage node: batching, health and
// backpressure. All that goes from a coordinator to a node goes through a [Conn].
//
// A Conn dials its node, shakes hands, and keeps two Exchange streams of package
// storagepb open, one for small operations and one for bulk (from 32 KiB): each a connection
// of package framed, or both over one gRPC connection, where the node or what is between speaks nothing else. [Conn.Send] takes
// an operation and returns at once; the outcome comes to the operation's [Handler].
// There is no goroutine, no timer and no map entry per operation.
//
// # Invariants
//
//  1. Each operation ends exactly once: Send returns an error, or Withdraw returns true,
//     or Complete is called.
//  2. An operation that ends with Result.Handed false and no answer, with an error from Send, or with Withdraw
//     was not handed to the stream and never will be. So Handed is set
//     before the connection sees the first byte of the batch.
//  3. An answer reaches the operation that it is for, or none: ids carry a
//     generation, and what a link still delivers after it broke is not looked at.
//  4. Nobody is overtaken within a lane: who has to wait for room is admitted
//     in the order of Send, and background operations do not wait.
//  5. When an operation has completed, the Conn holds nothing of it but slices of its State,
//     which are immutable. They may still be on their way out.
//  6. What is in flight is bounded per lane (Config.MaxInFlight, and half of
//     MaxInFlightBytes each), and so is what waits beyond that: 4,096 operations of callers that block until their
//     deadline or their Withdraw.
//  7. No lock is held while a handler, OnChange or the dialer runs, or a frame is sent.
//
// # Batches
//
// They are self-clocked: a lane's writer takes whatever was queued while it was
// handing over the batch before, up to 512 operations or 128 KiB. An idle
// connection adds no delay, since there is nothing to wait for; a busy one makes
// large batches, since much has come together meanwhile. A timer would add
// delay in the first case and need tuning in the second.
//
// Answers to reads come by the stream of the question, which does not know
// how large they will be: a large answer does hold up the small ones behind it.
//
// # Overload
//
// A queue that is longer than callers wait serves nobody in time, and one that stays long makes each operation dearer: what is ahead of
// it has gone from the processor's caches before it is answered. So whoever is about to begin something asks [Conn.Admit]
// of all that are concerned before anything is sent, and leaves it if too few say yes. A burst is let in up to the bound; a lane that
// overflowed holds an eighth of Config.MaxInFlight for three seconds, and is then tried again. That tells a burst
// from a load that stays by what each does, as CoDel does (Nichols and Jacobson, 2012), but without dropping what was taken: it has
// been paid for.
//
// Send's own bound is wider and stands for itself; it is met by what was admitted at the same time, by second rounds
// and by the backlog of one sick node.
//
// # States
//
//	Connecting ──attempt ended──▶ Up ◀──attempt── Down
//	     └──────attempt failed─────────────────▶ Down
//	                              Up ──broke───▶ Down
//
// While Connecting, operations wait. When the connection breaks, all of them complete
// at once, and until the next connection Send fails with the cause. If one
// stream breaks, the connection does. Attempts go on for as long as the Conn is open, 2 s apart
// at the most, and each takes 3 s at the most for each transport that it tries.
//
// A node may also be connected and mute: stopped, or cut off so that nothing is refused. Then
// [Health.Stalled] tells after one second of silence on operations that it owes; pings
// find it after 12 s without traffic, and operations end by their own deadlines.
//
// # Goroutines
//
// All are started by sync.WaitGroup.Go and joined by Close (those of gRPC, by its
// ClientConn.Close; the timers of connect and close run one line each). Per Conn: run (connects, calls OnChange) and sweep (deadlines). Per link,
// joined before the next one: a reader and a writer for each of the two streams. Handlers are called by
// readers (answers), by the sweeper and writers (deadlines), and by run and whoever noticed a break.
//
// # Locks
//
// Conn.mu guards everything that has to do with operations. latencies.mu and those of the transports are leaves, and
// are never taken with Conn.mu held. Health takes none.
package replica
