package pairdbtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/devrev/pairdb/pairdbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnHourPassesInABubbleWhileANodeIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := pairdbtest.New(t, 3)
		shop := cluster.Client(t).Tenant("shop")
		_, err := shop.Put(t.Context(), "k", []byte("v"))
		require.NoError(t, err)

		cluster.Node(0).Stop()
		time.Sleep(time.Hour)
		cluster.Node(0).Start()

		got, err := shop.Get(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, "v", string(got.Value))
	})
}
