//go:build unix && !race

package faulttest

// raceFlag builds the storage node without the race detector, as the test is.
var raceFlag []string
