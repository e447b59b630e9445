package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

var here = Identity{Cluster: "test", Node: "n1"}

// epoch is the wall clock of the tests.
var epoch = time.UnixMilli(1_800_000_000_000)

func open(t *testing.T, engine Engine, config Config) *Core {
	t.Helper()
	if config.Now == nil {
		config.Now = func() time.Time { return epoch }
	}
	c, err := New(engine, here, config)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// at returns a dot whose stamp is so far from epoch.
func at(actor vclock.Actor, after time.Duration) vclock.Dot {
	return vclock.Dot{Actor: actor, Stamp: vclock.StampAt(epoch.Add(after))}
}

func write(key string, dot vclock.Dot, ctx vclock.Clock, value string) *wire.Operation {
	s := vclock.WriteState(vclock.Causal, ctx, vclock.Sibling{Dot: dot, Value: []byte(value)})
	return &wire.Operation{Id: 7, Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte(key), State: s}
}

func writeLast(key string, dot vclock.Dot, value string) *wire.Operation {
	op := write(key, dot, nil, value)
	op.Policy = storagepb.Policy_LAST_WRITE_WINS
	op.State.Clock = nil
	return op
}

func read(key string, kind storagepb.Kind) *wire.Operation {
	return &wire.Operation{Id: 8, Kind: kind, Tenant: "t", Key: []byte(key)}
}

func require1(t *testing.T, want storagepb.Status, a *wire.Answer) {
	t.Helper()
	require.Equal(t, want, a.Status, "%v", a)
}

func holds(t *testing.T, c *Core, key string, values ...string) vclock.State {
	t.Helper()
	_, s, err := c.Inspect("t", []byte(key))
	require.NoError(t, err)
	got := []string{}
	for _, sibling := range s.Siblings {
		got = append(got, string(sibling.Value))
	}
	require.ElementsMatch(t, values, got)
	return s
}

func TestAWriteIsReadBackInAllThreeKinds(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	a := c.Do(write("k", at(1, 0), nil, "v"))
	require1(t, storagepb.Status_OK, a)
	require.True(t, a.Live)
	require.Zero(t, a.State, "the node holds what was sent")

	s := holds(t, c, "k", "v")
	require.Equal(t, s, c.Do(read("k", storagepb.Kind_READ_STATE)).State)
	require.Equal(t, s.Digest(), c.Do(read("k", storagepb.Kind_READ_DIGEST)).Digest)
	require.Equal(t, vclock.State{Clock: s.Clock}, c.Do(read("k", storagepb.Kind_READ_CLOCK)).State)
}

func TestAnAbsentKeyIsTheEmptyState(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	a := c.Do(read("k", storagepb.Kind_READ_STATE))
	require1(t, storagepb.Status_OK, a)
	require.Zero(t, a.State)
	require.Zero(t, c.Do(read("k", storagepb.Kind_READ_DIGEST)).Digest)
}

func TestAConcurrentWriteIsAnsweredWithTheClockThatTheNodeHolds(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	c.Do(write("k", at(1, 0), nil, "v"))
	a := c.Do(write("k", at(2, 0), nil, "w"))
	require.True(t, a.Live)
	require.Len(t, a.State.Clock, 2)
	require.Empty(t, a.State.Siblings)
	holds(t, c, "k", "v", "w")
}

func TestASupersededWriteIsAnsweredWithTheWholeState(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	old := at(1, -time.Second)
	c.Do(write("k", at(2, 0), vclock.Clock{old}, "later"))
	a := c.Do(write("k", old, nil, "earlier"))
	require1(t, storagepb.Status_OK, a)
	require.False(t, a.Live)
	require.Equal(t, holds(t, c, "k", "later"), a.State)
}

func TestALargeStateIsAnsweredToASupersededWriteByItsClockAlone(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	old := at(1, -time.Second)
	c.Do(write("k", at(2, 0), vclock.Clock{old}, string(make([]byte, shownBytes+1))))
	a := c.Do(write("k", old, nil, "earlier"))
	require.False(t, a.Live)
	require.Empty(t, a.State.Siblings)
	require.Len(t, a.State.Clock, 2)
}

func TestLastWriteWinsKeepsTheGreaterStampAndNamesItToTheLoser(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	winner := at(1, time.Second)
	require.True(t, c.Do(writeLast("k", winner, "v")).Live)
	a := c.Do(writeLast("k", at(2, 0), "w"))
	require1(t, storagepb.Status_OK, a)
	require.False(t, a.Live)
	require.Len(t, a.State.Siblings, 1)
	require.Equal(t, winner.Stamp, a.State.Siblings[0].Dot.Stamp)
	require.Empty(t, a.State.Siblings[0].Value)
	holds(t, c, "k", "v")
}

func TestTheSameKeyTwiceInOneFrameJoinsBothAndIsWrittenOnce(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	answers := make(chan []reply, 4)
	c.run([]*wire.Operation{write("k", at(1, 0), nil, "v"), write("k", at(2, 0), nil, "w")}, time.Now(), collect(answers))
	for n := 0; n < 2; n += len(<-answers) {
	}
	holds(t, c, "k", "v", "w")
	require.EqualValues(t, 1, c.Stats().Batches)
}

type collect chan []reply

func (collect) room(*wire.Operation, time.Time) {}
func (collect) made(int)                        {}
func (c collect) put(r []reply)                 { c <- r }

func TestAStoreKeepsItsIDAndRefusesAnotherNode(t *testing.T) {
	engine := NewMemory()
	first := open(t, engine, Config{})
	require.NotZero(t, first.StoreID())
	require.Equal(t, first.StoreID(), open(t, engine, Config{}).StoreID())
	require.NotEqual(t, first.StoreID(), open(t, NewMemory(), Config{}).StoreID())

	_, err := New(engine, Identity{Cluster: "test", Node: "n2"}, Config{})
	require.ErrorIs(t, err, ErrForeignStore)
	_, err = New(engine, Identity{Cluster: "prod", Node: "n1"}, Config{})
	require.ErrorIs(t, err, ErrForeignStore)
}
