package ring_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/ring"
)

// cluster makes n nodes of weight 1 in the given number of zones, whose ids
// differ with the trial.
func cluster(trial, n, zones int) []ring.Node {
	nodes := make([]ring.Node, n)
	for i := range nodes {
		nodes[i] = ring.Node{ID: fmt.Sprintf("t%d-node-%04d", trial, i), Zone: fmt.Sprintf("z%d", i%zones)}
	}
	return nodes
}

func mustNew(t testing.TB, cfg ring.Config, nodes []ring.Node) *ring.Ring {
	t.Helper()
	r, err := ring.New(cfg, nodes)
	require.NoError(t, err)
	return r
}

func TestBalanceAndMovementReachWhatThePackageCommentSays(t *testing.T) {
	cases := []struct {
		nodes, zones, partitions, trials int
		balance, movement                float64 // largest over all trials, mean over all trials
	}{
		{3, 1, 4096, 4, 1.00, 1.25},
		{10, 1, 4096, 4, 1.10, 1.25},
		{100, 1, 4096, 4, 1.10, 1.25},
		{1000, 1, 4096, 3, 1.10, 7},
		{1000, 1, 65536, 1, 1.10, 1.25},
		{3, 3, 4096, 4, 1.00, 3},
		{12, 3, 4096, 4, 1.10, 3},
		{99, 3, 4096, 4, 1.10, 3},
		{999, 3, 4096, 3, 1.10, 12},
		{999, 3, 65536, 1, 1.10, 3},
	}
	t.Logf("%6s %6s %11s %10s %10s %10s %10s", "nodes", "zones", "partitions", "balance n=1", "balance n=3", "balance n=5", "movement n=3")
	for _, c := range cases {
		var largest [6]float64
		var movement float64
		for trial := range c.trials {
			cfg := ring.Config{Partitions: c.partitions}
			nodes := cluster(trial, c.nodes+1, c.zones)
			before, after := mustNew(t, cfg, nodes[:c.nodes]), mustNew(t, cfg, nodes)
			for _, n := range []int{1, 3, 5} {
				largest[n] = max(largest[n], before.Balance(n))
			}
			movement += ring.Moved(before, after, 3) * float64(c.nodes+1) / float64(c.trials)
		}
		t.Logf("%6d %6d %11d %10.3f %10.3f %10.3f %10.2f", c.nodes, c.zones, c.partitions, largest[1], largest[3], largest[5], movement)
		require.LessOrEqual(t, largest[3], c.balance)
		require.LessOrEqual(t, movement, c.movement)
	}
}
