package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/devrev/pairdb/storagenode"
)

// nodeEnv makes this program a storage node instead of the quickstart.
const nodeEnv = "PAIRDB_QUICKSTART_NODE"

func nodeMain(args []string) int {
	if err := serveNode(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	return 0
}

// serveNode runs the node that args name (cluster, node, directory, address), prints
// the address that it listens on, and ends when its standard input does: it
// does not outlive the quickstart, however that ends.
func serveNode(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("%s is for the quickstart's own children; unset it", nodeEnv)
	}
	cluster, id, dir, addr := args[0], args[1], args[2], args[3]
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // Ctrl-C reaches the children too; the parent decides

	node, err := storagenode.Open(dir, storagenode.Identity{Cluster: cluster, Node: id})
	if err != nil {
		return fmt.Errorf("%w; is there room on the disk of %s? TMPDIR names another place", err, dir)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w; if another program has taken the port meanwhile, run the quickstart again", err)
	}
	fmt.Println(listener.Addr())

	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return node.Serve(listener)
}
