package peers_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/bench/peers"
)

// children lists the processes whose parent is this one. Zombies count: nobody has waited for them.
func children(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	if len(stats) == 0 {
		t.Skip("processes are not to be listed here")
	}
	parent := strconv.Itoa(os.Getpid())
	found := []int{}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// 4711 (the name, any bytes) S 4242 …
		rest := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(rest) < 2 || rest[1] != parent {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		require.NoError(t, err)
		found = append(found, pid)
	}
	slices.Sort(found)
	return found
}

// missing fails where servers are required to be there.
func missing(err error) bool {
	return errors.Is(err, peers.ErrMissing) && os.Getenv("PAIRDB_REQUIRE_SERVERS") == ""
}
