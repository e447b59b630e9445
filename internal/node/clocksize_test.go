package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// longClock returns a clock of n actors, from first on.
func longClock(first vclock.Actor, n int) vclock.Clock {
	clock := make(vclock.Clock, n)
	for i := range clock {
		clock[i] = at(first+vclock.Actor(i), -time.Second)
	}
	return clock
}

func TestAClientsClockIsBounded(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	op := write("k", at(1, 0), longClock(2, maxSentEntries), "v")
	a := c.Do(op)
	require1(t, storagepb.Status_INVALID, a)
	require.Contains(t, a.Detail, "state.clock:")
	holds(t, c, "k")
	op.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(op))
	require1(t, storagepb.Status_OK, c.Do(write("k2", at(1, 0), longClock(2, maxSentEntries-1), "v")))
}

func TestClientsTogetherCannotGrowAClockWithoutEnd(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	refused := false
	for i := range 2 * maxHeldEntries / maxSentEntries {
		own := vclock.Actor(1 + i*maxSentEntries)
		a := c.Do(write("k", at(own, 0), longClock(own+1, maxSentEntries-1), "v"))
		if refused = a.Status != storagepb.Status_OK; refused {
			require1(t, storagepb.Status_TOO_LARGE, a)
			break
		}
	}
	require.True(t, refused)
	_, held, err := c.Inspect("t", []byte("k"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(held.Clock), maxHeldEntries)
}

func TestNoAnswerIsLargerThanAFrame(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	huge := write("k", at(1, 0), longClock(2, maxStateBytes/16), "v")
	huge.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(huge))

	require1(t, storagepb.Status_TOO_LARGE, c.Do(read("k", storagepb.Kind_READ_CLOCK)))
	require1(t, storagepb.Status_TOO_LARGE, c.Do(read("k", storagepb.Kind_READ_STATE)))
	require1(t, storagepb.Status_OK, c.Do(read("k", storagepb.Kind_READ_DIGEST)))
	require1(t, storagepb.Status_TOO_LARGE, c.Do(write("k", at(1<<40, 0), nil, "w")))
	fromNode := write("k", at(1<<40, 0), nil, "w")
	fromNode.Origin = storagepb.Origin_NODE
	a := c.Do(fromNode)
	require1(t, storagepb.Status_OK, a)
	require.True(t, a.Live)
	require.Zero(t, a.State, "nobody waits for it")
	again := write("k", at(1<<40, 0), nil, "w")
	require1(t, storagepb.Status_OK, c.Do(again)) // what was applied is not refused when it is repeated
	holds(t, c, "k", "v", "w")
}

func TestAClientsWriteThatClaimsToHaveSeenItsOwnActorsFutureIsInvalid(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	op := write("k", at(1, 0), vclock.Clock{at(1, time.Second)}, "v")
	a := c.Do(op)
	require1(t, storagepb.Status_INVALID, a)
	require.Contains(t, a.Detail, "state.clock:")
	op.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(op))
}
