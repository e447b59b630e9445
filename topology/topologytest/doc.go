// Package topologytest holds the conformance suite of topology.Source: every
// implementation, of this module or a user's own, calls Run in one line.
package topologytest
