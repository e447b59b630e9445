package peers_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/peers"
)

// parentEnv makes this test binary a program that has started the peer of that name.
const parentEnv = "PAIRDB_BENCH_PARENT"

// runParent starts the peer, says so, and waits to be killed.
func runParent(name string) error {
	for _, p := range peers.All() {
		if p.Name != name {
			continue
		}
		if _, _, err := p.Start(context.Background(), peers.Env{Log: os.Stderr}); err != nil {
			return err
		}
		fmt.Println("started")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	return fmt.Errorf("no peer %q", name)
}

func TestServersEndWhenTheProgramIsKilled(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	// The servers have the program's standard error: it ends when the last of them has.
	held, theirs, err := os.Pipe()
	require.NoError(t, err)
	defer held.Close()
	program := exec.CommandContext(t.Context(), self)
	program.Env = append(os.Environ(), parentEnv+"=floor-tcp")
	program.Stderr = theirs
	in, err := program.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	require.NoError(t, theirs.Close())
	var word string
	_, err = fmt.Fscan(out, &word)
	require.NoError(t, err)
	require.Equal(t, "started", word)

	require.NoError(t, program.Process.Kill())
	require.Error(t, program.Wait())
	said, err := io.ReadAll(held)
	require.NoError(t, err)
	require.Empty(t, string(said))
}
