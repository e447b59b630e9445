package pairdbtest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
)

// strike does something bad to a node, or ends it.
func strike(random *rand.Rand, n *pairdbtest.Node) {
	switch random.IntN(12) {
	case 0, 1:
		n.Stop()
	case 2, 3, 4:
		n.Start()
	case 5:
		n.Cut(pairdbtest.Direction(1 + random.IntN(3)))
	case 6, 7:
		n.Heal()
	case 8:
		n.Freeze()
	case 9:
		n.Thaw()
	case 10:
		n.FailOp(1+random.IntN(3), pairdbtest.When(random.IntN(2)))
	case 11:
		n.Delay(time.Duration(random.IntN(2)) * 300 * time.Millisecond)
	}
}

// Promises P1, P2 and P8, for keys that are written once each.
func TestWhatWasAcknowledgedUnderRandomFaultsIsThereAndWhatWasNotAppliedIsNot(t *testing.T) {
	const seeds, writers, writes = 8, 4, 40
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			c := pairdbtest.New(t, 5, pairdbtest.Seed(seed))
			var all sync.WaitGroup
			outcomes := make([]map[string]error, writers)
			for w := range writers {
				shop := c.Client(t).Tenant("shop")
				outcomes[w] = make(map[string]error)
				all.Go(func() {
					for i := range writes {
						key := fmt.Sprintf("%d/%d", w, i)
						_, err := shop.Put(t.Context(), key, []byte(key))
						outcomes[w][key] = err
						time.Sleep(50 * time.Millisecond)
					}
				})
			}
			random := rand.New(rand.NewPCG(seed, 1))
			for range 100 {
				strike(random, c.Node(random.IntN(5)))
				time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
			}
			all.Wait()
			c.Heal()
			time.Sleep(30 * time.Second)

			reader := c.Client(t).Tenant("shop")
			for w := range writers {
				for key, wrote := range outcomes[w] {
					_, err := reader.Get(t.Context(), key)
					switch {
					case wrote == nil:
						require.NoError(t, err, "seed %d, key %s: acknowledged and gone", seed, key)
					case errors.Is(wrote, pairdb.ErrNotApplied):
						require.ErrorIs(t, err, pairdb.ErrNotFound, "seed %d, key %s: not applied and there: %v", seed, key, wrote)
					default:
						require.ErrorIs(t, wrote, pairdb.ErrUnknown)
					}
				}
			}
		})
	}
}
