package vclock

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// soakVariable sets how many histories the oracle judges.
const soakVariable = "PAIRDB_SOAK_HISTORIES"

func runSeed(seed uint64, off rules) error {
	return newHistory(rand.New(rand.NewPCG(seed, 2)).IntN, off).run()
}

// runSeeds runs the histories of the seeds from 1 to n and returns how many failed,
// and what some of them said.
func runSeeds(n uint64, off rules) (failed uint64, said []error) {
	var next, failures atomic.Uint64
	var mu sync.Mutex // guards said
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1); seed <= n; seed = next.Add(1) {
				err := runSeed(seed, off)
				if err == nil {
					continue
				}
				failures.Add(1)
				mu.Lock()
				if len(said) < 10 {
					said = append(said, fmt.Errorf("seed %d: %w", seed, err))
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return failures.Load(), said
}

func TestReplicasHoldExactlyTheSiblingsThatFullHistoriesSay(t *testing.T) {
	histories := uint64(20_000)
	if v := os.Getenv(soakVariable); v != "" {
		var err error
		histories, err = strconv.ParseUint(v, 10, 64)
		require.NoError(t, err, soakVariable)
	}
	failed, said := runSeeds(histories, 0)
	t.Logf("oracle: %d histories, %d failed", histories, failed)
	for _, err := range said {
		t.Error(err)
	}
	require.Zero(t, failed)
}

func TestOracleCatchesAMissingLaneRule(t *testing.T) {
	const histories = 2_000
	failed, said := runSeeds(histories, laneRule)
	t.Logf("oracle, lanes off: %d of %d histories failed", failed, histories)
	require.Greater(t, failed, uint64(histories/2))
	t.Log(said[0])
}

func TestOracleCatchesAMissingGenerationRule(t *testing.T) {
	const histories = 2_000
	failed, _ := runSeeds(histories, generationRule)
	t.Logf("oracle, generations off: %d of %d histories failed", failed, histories)
	require.Positive(t, failed)
}
