// Package peers runs what pairdb is measured against, each as fast as it honestly is: two floors that show
// what the machine gives, what one writes by hand, and two stores that people use.
//
// A peer's servers are processes of their own: this executable, run again. So a program that
// uses the package begins with
//
//	if peers.Serve(os.Getenv(peers.ServeEnv), os.Args[1:]) {
//		return
//	}
//
// # What the figures of a peer mean
//
//   - floor-tcp and floor-grpc coordinate nothing. They keep no versions, repair nothing and connect to
//     no server again: a figure above theirs is wrong, and the distance to them is what coordination costs.
//   - unary keeps the last write by the writer's time, and shares no work between calls.
//   - etcd and Redis do other work than pairdb: etcd orders all writes and syncs them to disk on
//     two members; Redis answers once one replica has the write too, and reads from
//     the primary alone. See About of each.
//
// # Invariants
//
//  1. A server does not outlive the program: its standard input ends when the program does, and it then
//     ends itself; on Linux the kernel kills it besides.
//  2. What Start returned as stop returns when all the peer's processes have ended, and
//     its files are gone.
//  3. A Store's Put keeps no hold of the value that it was given after it has returned, and nobody else
//     holds what a Get returned.
//  4. Of requests by one Store, a Get that begins after a Put of the same key has returned
//     shows that Put or a later one. The floors have this from the order of each
//     connection, unary from its stamps.
package peers
