package main

import (
	"os"
	"testing"

	"github.com/devrev/pairdb/bench/peers"
)

// TestMain makes a run of the test's own binary a server where the environment says so.
func TestMain(m *testing.M) {
	if peers.Serve(os.Getenv(peers.ServeEnv), os.Args[1:]) || serveNode() {
		return
	}
	os.Exit(m.Run())
}
