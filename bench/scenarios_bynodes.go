package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/bench/report"
	"github.com/devrev/pairdb/topology"
)

var (
	nodeCounts   = []int{3, 10, 30, 100}
	costCallers  = []int{1, 256}
	costOfNodes  = []string{report.Put, report.Get}
	costRounds   = 3
	costKeys     = 10_000
	costDuration = 400 * time.Millisecond
)

func costByNodesScenario() Scenario {
	return Scenario{Name: "cost by nodes", Takes: 35 * time.Second, Run: runCostByNodes}
}

// runCostByNodes measures in turns, for clusters of several sizes, the processor time of a request: the client's and
// that of the nodes, which are in this process.
func runCostByNodes(ctx context.Context, r *Run) (found Findings, err error) {
	clients := make([]*pairdbSubject, len(nodeCounts))
	var ends []func()
	defer func() {
		for _, end := range slices.Backward(ends) {
			end()
		}
	}()
	for i, n := range nodeCounts {
		servers, err := newInCluster(n)
		if err != nil {
			return found, err
		}
		ends = append(ends, servers.stop)
		clients[i], err = openClient(ctx, r.withKeys(costKeys), topology.Static(servers.topology), tenantID, pairdb.WithDialer(servers.dial))
		if err != nil {
			return found, fmt.Errorf("%d nodes: %w", n, err)
		}
		ends = append(ends, clients[i].stop)
	}
	m := measurer{run: r}
	costs := newCosts(nodeCounts)
	for round := range costRounds {
		for i, s := range clients {
			for _, callers := range costCallers {
				for _, w := range costOfNodes {
					r.progress.show(false, "cost by nodes: round %d of %d, %d nodes, %s, %d callers", round+1, costRounds, nodeCounts[i], w, callers)
					one, err := m.closed(ctx, s, w, callers, costDuration)
					if err != nil {
						return found, fmt.Errorf("%d nodes, %s: %w", nodeCounts[i], w, err)
					}
					costs.add(costLine(w, callers), i, microseconds(one.Process.CPU))
				}
			}
		}
	}
	found.Figures = []report.Figure{costs.figure("scaling/nodes", "processor time of client and nodes; 100 nodes to 3, the worst of: ")}
	found.Curves = []report.Curve{costs.curve("cost by nodes", "nodes", "processor time per request, µs, client and nodes")}
	return found, nil
}

func costLine(workload string, callers int) string {
	return fmt.Sprintf("%s, %d callers", workload, callers)
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
