package storagenode_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagenode"
	"github.com/devrev/pairdb/storagenode/enginetest"
)

func TestMemoryKeepsTheContractOfAnEngine(t *testing.T) {
	enginetest.Run(t, func(*testing.T) storagenode.Engine { return storagenode.NewMemory() },
		func(t *testing.T, e storagenode.Engine) storagenode.Engine {
			require.NoError(t, e.Close())
			return e
		})
}

func TestPebbleKeepsTheContractOfAnEngine(t *testing.T) {
	dirs := map[storagenode.Engine]string{}
	open := func(t *testing.T, dir string) storagenode.Engine {
		e, err := storagenode.OpenPebble(dir)
		require.NoError(t, err)
		dirs[e] = dir
		return e
	}
	enginetest.Run(t, func(t *testing.T) storagenode.Engine { return open(t, t.TempDir()) },
		func(t *testing.T, e storagenode.Engine) storagenode.Engine {
			require.NoError(t, e.Close())
			return open(t, dirs[e])
		})
}

func TestAnApplyThatPebbleCouldNotTakeIsRefusedAndChangesNothing(t *testing.T) {
	e, err := storagenode.OpenPebble(t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Close()) }()
	value := make([]byte, 256<<20) // one, so that memory is not what is tested
	var puts []storagenode.KV
	for i := range byte(17) {
		puts = append(puts, storagenode.KV{Key: []byte{i}, Value: value})
	}
	require.ErrorContains(t, e.Apply(puts), "1024")
	found, err := e.Get([]byte{0}, func([]byte) error { return nil })
	require.NoError(t, err)
	require.False(t, found)
}
