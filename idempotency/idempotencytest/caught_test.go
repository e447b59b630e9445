package idempotencytest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/idempotency/idempotencytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// brokenEnv names, in a child process, the store that the suite is run on.
const brokenEnv = "PAIRDB_BROKEN_STORE"

// TestRunOnABrokenStore is for the child process: it fails where the suite does its work.
func TestRunOnABrokenStore(t *testing.T) {
	name := os.Getenv(brokenEnv)
	if name == "" {
		t.Skip("the other test runs it, in a process of its own")
	}
	idempotencytest.Run(t, func(t *testing.T) idempotency.Store {
		for _, b := range brokenStores {
			if b.name == name {
				return b.store(newWrapped())
			}
		}
		t.Fatalf("no store is broken in the way of %q", name)
		return nil
	}, idempotencytest.InBubble())
}

func TestTheSuiteCatchesBrokenStores(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, b := range brokenStores {
		t.Run(b.name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), self, "-test.run=^TestRunOnABrokenStore$", "-test.v") //nolint:gosec // this program
			child.Env = append(os.Environ(), brokenEnv+"="+b.name)
			out, err := child.CombinedOutput()
			require.Contains(t, string(out), "=== RUN   TestRunOnABrokenStore/", "the suite has run")
			if b.fails == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			require.Error(t, err, "the suite lets it pass")
			require.Contains(t, string(out), "--- FAIL: TestRunOnABrokenStore/"+strings.ReplaceAll(b.fails, " ", "_"))
			t.Logf("%d cases fail", strings.Count(string(out), "--- FAIL: TestRunOnABrokenStore/"))
		})
	}
}
