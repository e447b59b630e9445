// Package replica is the connection to one storage node: batching, health and backpressure.
package replica
