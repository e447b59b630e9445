// Package history records what clients did and saw, and checks it against the
// promises: it serves the simulations and the tests with real processes.
//
// The checker knows nothing of version vectors. It numbers the writes, and takes the
// writes that a reader was shown, with all that those had seen, as what its next write
// has seen. A write without a context may have covered whatever was begun before it
// ended, and must have covered whatever was acknowledged before it began.
//
// What it checks, of causal tenants with overlapping quorums:
//
//   - P2, P3: a read that began after a write was acknowledged shows that write,
//     or one that covered it, directly or through others.
//   - P4: a read does not show a write without a context beside one that was acknowledged before
//     the first began.
//   - P8: no read shows a write that was said not to be applied.
//   - P9: a read that began after a covering write was acknowledged does not show
//     what that write covered.
//   - No read shows a value that nobody wrote.
package history
