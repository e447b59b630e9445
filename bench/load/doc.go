// Package load drives an operation from many goroutines and times it.
//
//  1. A closed loop (Closed) keeps a number of callers busy: each begins its next call when the one before has
//     ended. It finds the highest throughput, and says little about latency: when the system is slow, it asks less.
//  2. An open loop (Open) begins calls at fixed times, whatever became of the earlier ones. A call's latency counts
//     from the time at which it should have begun, so that a stall is charged to all the calls that it held up
//     ("How NOT to Measure Latency", Gil Tene), also to those that were never begun.
//  3. What is done while warming up is not counted. A call counts if it ended within the measured time (closed),
//     or if it should have begun in it (open).
//  4. Failed calls count as errors only: neither as throughput nor as latency, but for calls that were never begun.
package load
