package peers_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/devrev/pairdb/bench/peers"
)

// TestMain makes this test binary the servers too: the peers run it again.
func TestMain(m *testing.M) {
	if peers.Serve(os.Getenv(peers.ServeEnv), os.Args[1:]) {
		return
	}
	if name := os.Getenv(parentEnv); name != "" {
		if err := runParent(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}
