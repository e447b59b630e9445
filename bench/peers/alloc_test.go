//go:build !race

package peers_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the floors cost is what they measure, so it is exact: the copy that Get returns, and nothing else.
func TestFloorTCPAllocatesOnlyWhatGetReturns(t *testing.T) {
	store, _ := start(t, floors()[0], t.TempDir())
	ctx, value := context.Background(), make([]byte, 100)
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if err := store.Put(ctx, "key", value); err != nil {
			t.Error(err)
		}
	}))
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		if _, err := store.Get(ctx, "key"); err != nil {
			t.Error(err)
		}
	}), 1.0)
}
