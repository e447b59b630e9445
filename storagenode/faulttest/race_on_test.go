//go:build unix && race

package faulttest

// raceFlag builds the storage node with the race detector, as the test is.
var raceFlag = []string{"-race"}
