//go:build unix

package faulttest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestWhatWasAcknowledgedSurvivesKillsStopsAndCutsOfThreeNodes(t *testing.T) {
	survive(t, 3, 3, duration(t, 40*time.Second, 8*time.Second))
}

func TestWhatWasAcknowledgedSurvivesKillsStopsAndCutsOfFiveNodes(t *testing.T) {
	survive(t, 5, 2, duration(t, 40*time.Second, 8*time.Second)/3)
}

// duration is how long the nemesis goes on.
func duration(t *testing.T, usual, short time.Duration) time.Duration {
	t.Helper()
	if text := os.Getenv("PAIRDB_FAULT_SECONDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "PAIRDB_FAULT_SECONDS")
		return time.Duration(n) * time.Second
	}
	if testing.Short() {
		return short
	}
	return usual
}

func chooseSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("PAIRDB_FAULT_SEED")
	if text == "" {
		return rand.Uint64() //nolint:gosec // a schedule, not a secret
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "PAIRDB_FAULT_SEED")
	return seed
}

// roundTime bounds one history, since a check takes memory: a long test is many of them, on the same nodes.
const roundTime = time.Minute

// survive runs workers and a nemesis for d, heals, reads everything, and checks.
func survive(t *testing.T, nodes, coordinators int, d time.Duration) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	seed := chooseSeed(t)
	c := start(t, nodes, coordinators, false)
	for ; d > 0; d -= roundTime {
		newTrial(c, seed, 40+int(2*min(d, roundTime).Seconds()), everything).survive(t, min(d, roundTime))
		seed++
	}

	for _, co := range c.coords {
		require.NoError(t, co.close(closeLimit), "with nothing wrong, %s closes in time", co.name)
	}
	for _, p := range c.nodes {
		require.NoError(t, p.stop(), "SIGTERM ends a node in good order")
	}
	c.end()
	c.requireEnded(t)
	goleak.VerifyNone(t, before)
}

func (r *trial) survive(t *testing.T, d time.Duration) {
	t.Helper()
	defer r.report(t)
	r.torment(t, d)
	r.heal(t)
	r.readAll(t)
	r.violations = r.log.Check()
	require.Empty(t, r.violations)
}
