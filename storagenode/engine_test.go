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
