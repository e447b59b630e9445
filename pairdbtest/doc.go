// Package pairdbtest is a pairdb cluster inside a test: real storage nodes on
// stores in memory, reached by the real client over real gRPC, and faults.
//
// A test of a program that uses pairdb runs against it what it would run against
// a cluster; nothing is mocked, and there is no server to install:
//
//	func TestCheckout(t *testing.T) {
//		cluster := pairdbtest.New(t, 3)
//		shop := cluster.Client(t).Tenant("shop")
//		…
//	}
//
// Both are closed when the test ends. Program code that opens its own client
// gets [Cluster.Source], and pairdb.WithDialer([Cluster.Dial]).
//
// # A merge function
//
// [Cluster.Plant] stores concurrent siblings, as if clients had written without
// seeing each other:
//
//	cluster.Plant("shop", "cart/7", "apples pears", "apples plums")
//	cart, err := shop.Get(ctx, "cart/7", pairdb.ResolveWith(union))
//
// # A write that is unknown
//
// The case that is hardest to get right, and never happens on a developer's
// machine: the write was stored, and its answer lost.
//
//	for _, n := range cluster.Owners("shop", "order/9") {
//		n.FailWrite(1, pairdbtest.AfterApply)
//	}
//	err := placeOrder(ctx) // wraps pairdb.ErrUnknown
//
// With BeforeApply the error is the same and nothing was stored. A test of a retry
// runs both, and [Node.State] and [Node.Applied] tell what became of it.
//
// # A node that is down, and one that is silent
//
//	cluster.Node(0).Stop()    // killed: refuses connections
//	cluster.Node(0).Freeze()  // stopped in its tracks: accepts bytes, answers nothing
//	cluster.Node(0).Cut(pairdbtest.Both)  // unreachable: connections stay open, silent
//	cluster.Node(0).Wipe()    // its disk is lost
//	cluster.Heal()            // all is well again
//
// # Time
//
// Everything works in a bubble of testing/synctest, where an hour passes in no
// time: make the cluster and its clients inside of it. A request goes on in the
// background after it has returned: to look at what all owners hold, call
// synctest.Wait before.
//
//	synctest.Test(t, func(t *testing.T) {
//		cluster := pairdbtest.New(t, 3)
//		…
//		cluster.Node(0).Cut(pairdbtest.Both)
//		time.Sleep(time.Hour)
//		cluster.Heal()
//		time.Sleep(10 * time.Second) // clients find nodes that are back within seconds
//		…
//	})
//
// # Invariants
//
//  1. A node's store outlives its process: what a node applied it still has after
//     Stop and Start, under the same store id. Only Wipe loses it.
//  2. Links neither lose nor reorder bytes of a connection that stands: a cut
//     holds them back. What a test wants lost it loses by operation (FailOp, LoseOp).
//  3. What inspects or plants ([Node.State], [Node.Len], [Cluster.PlantState]) passes
//     by every fault, and works on nodes that are stopped.
//  4. Nobody waits while holding a lock: waits are on channels, so that virtual time
//     goes on.
//  5. Stop and Close join every goroutine of the node, and of the clients.
//
// # What it is not
//
// There is no disk: crashes that lose what was not synced, full disks and damage
// are the storage node's own tests. Nor is it for measurements: each operation
// runs in a goroutine of its own, past the faults.
//
// Lock order: a node's turn (a channel) → Cluster.mu → the topology source's. The
// others are leaves.
package pairdbtest
