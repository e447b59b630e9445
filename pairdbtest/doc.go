// Package pairdbtest is a pairdb cluster in memory, with faults, for tests.
package pairdbtest
