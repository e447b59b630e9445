package node

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// Interleavings, case 11: a forged or broken context holds a far-future entry for
// an actor. Once stored, it covers that actor's later writes before they are made.
func TestInterleaving11AForgedContextCannotCoverTheFuture(t *testing.T) {
	play := func(t *testing.T, origin storagepb.Origin) (storagepb.Status, vclock.State) {
		c := open(t, NewMemory(), Config{})
		victim := at(1, time.Second)
		forged := write("k", at(2, 0), vclock.Clock{{Actor: victim.Actor, Stamp: at(1, time.Hour).Stamp}}, "forged")
		forged.Origin = origin
		status := (<-later(c, forged)).Status
		require1(t, storagepb.Status_OK, <-later(c, write("k", victim, nil, "v")))
		_, held, err := c.Inspect("t", []byte("k"))
		require.NoError(t, err)
		return status, held
	}
	synctest.Test(t, func(t *testing.T) {
		status, held := play(t, storagepb.Origin_CLIENT)
		require.Equal(t, storagepb.Status_TOO_FAR_AHEAD, status)
		require.True(t, held.Has(at(1, time.Second)))
	})
	synctest.Test(t, func(t *testing.T) {
		status, held := play(t, storagepb.Origin_NODE) // which is exempt from the check
		require.Equal(t, storagepb.Status_OK, status)
		require.False(t, held.Has(at(1, time.Second)), "unchecked, the write is covered before it is made")
	})
}
