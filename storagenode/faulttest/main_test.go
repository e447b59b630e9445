//go:build unix

package faulttest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// program is the storage node, built once for all tests. starter starts it.
var (
	program string
	starter = newThread()
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if file := os.Getenv(workerVariable); file != "" {
		return beWorker(file)
	}
	dir, err := os.MkdirTemp("", "pairdb-fault-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "pairdb-node")
	args := append([]string{"build", "-o", program}, raceFlag...)
	build := exec.Command("go", append(args, "github.com/devrev/pairdb/storagenode/cmd/pairdb-node")...) //nolint:gosec // fixed
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the storage node:", err)
		return 1
	}
	return m.Run()
}

// A thread starts processes from one operating-system thread that lives as long as the test: the kernel ends
// them with it, also when the test panics or is killed.
type thread chan func()

func newThread() thread {
	t := make(thread)
	go func() {
		runtime.LockOSThread()
		for f := range t {
			f()
		}
	}()
	return t
}

func (t thread) start(cmd *exec.Cmd) error {
	err := make(chan error)
	t <- func() { err <- cmd.Start() }
	return <-err
}
