package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/ring"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

func TestAnOperationOutOfBoundsIsRefusedByTheNameOfItsField(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	long := make([]byte, MaxKeyBytes+1)
	good := func() *wire.Operation { return write("k", at(1, 0), nil, "v") }
	for name, c2 := range map[string]struct {
		spoil func(*wire.Operation)
		field string
	}{
		"no kind":          {func(op *wire.Operation) { op.Kind = 0 }, "kind"},
		"unknown kind":     {func(op *wire.Operation) { op.Kind = 99 }, "kind"},
		"no tenant":        {func(op *wire.Operation) { op.Tenant = "" }, "tenant"},
		"bad tenant":       {func(op *wire.Operation) { op.Tenant = "a/b" }, "tenant"},
		"long tenant":      {func(op *wire.Operation) { op.Tenant = string(make([]byte, 129)) }, "tenant"},
		"no key":           {func(op *wire.Operation) { op.Key = nil }, "key"},
		"long key":         {func(op *wire.Operation) { op.Key = long }, "key"},
		"unknown policy":   {func(op *wire.Operation) { op.Policy = 9 }, "policy"},
		"unknown origin":   {func(op *wire.Operation) { op.Origin = 9 }, "origin"},
		"no state":         {func(op *wire.Operation) { op.State = vclock.State{} }, "state.siblings"},
		"clock alone":      {func(op *wire.Operation) { op.State.Siblings = nil }, "state"},
		"half a clock":     {func(op *wire.Operation) { op.State, op.Columns = vclock.State{}, true }, "state"},
		"no clock":         {func(op *wire.Operation) { op.State.Clock = nil }, "state"},
		"a clock for last": {func(op *wire.Operation) { op.Policy = storagepb.Policy_LAST_WRITE_WINS }, "state"},
		"two siblings": {func(op *wire.Operation) {
			two := vclock.Sibling{Dot: vclock.Dot{Actor: 1, Stamp: op.State.Siblings[0].Dot.Stamp - 1}}
			op.State.Siblings = append([]vclock.Sibling{two}, op.State.Siblings...)
		}, "state.siblings"},
	} {
		t.Run(name, func(t *testing.T) {
			op := good()
			c2.spoil(op)
			a := c.Do(op)
			require1(t, storagepb.Status_INVALID, a)
			require.Contains(t, a.Detail, c2.field+":")
			require.EqualValues(t, 7, a.Id)
		})
	}
	holds(t, c, "k")
}

func TestAValueLargerThanTheLimitIsRefusedFromClientsOnly(t *testing.T) {
	c := open(t, NewMemory(), Config{Limits: Limits{MaxValueBytes: 3}})
	require1(t, storagepb.Status_TOO_LARGE, c.Do(write("k", at(1, 0), nil, "four")))
	holds(t, c, "k")
	op := write("k", at(1, 0), nil, "four")
	op.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(op))
	require1(t, storagepb.Status_OK, c.Do(write("k2", at(1, 0), nil, "3 b")))
}

func TestAWriteThatWouldMakeTooManySiblingsIsRefusedBeforeItIsStored(t *testing.T) {
	c := open(t, NewMemory(), Config{Limits: Limits{MaxSiblings: 2}})
	c.Do(write("k", at(1, 0), nil, "a"))
	c.Do(write("k", at(2, 0), nil, "b"))
	require1(t, storagepb.Status_TOO_MANY_SIBLINGS, c.Do(write("k", at(3, 0), nil, "c")))
	s := holds(t, c, "k", "a", "b")
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 0), nil, "a")))

	fromNode := write("k", at(3, 0), nil, "c")
	fromNode.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(fromNode))
	holds(t, c, "k", "a", "b", "c")
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 1), s.Clock, "resolves two of three")))
}

func TestAStampTooFarAheadIsRefusedInTheDotAndInTheContext(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	require1(t, storagepb.Status_TOO_FAR_AHEAD, c.Do(write("k", at(1, 61*time.Second), nil, "v")))
	forged := vclock.Clock{at(9, time.Hour)}
	require1(t, storagepb.Status_TOO_FAR_AHEAD, c.Do(write("k", at(1, 0), forged, "v")))
	holds(t, c, "k")
	require1(t, storagepb.Status_OK, c.Do(write("k", at(1, 60*time.Second), nil, "v")))

	op := write("k2", at(1, time.Hour), nil, "v")
	op.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(op))
}

func TestAWriteOlderThanTheWindowIsRefusedAndToldWhetherTheNodeHasSeenIt(t *testing.T) {
	now := epoch
	c := open(t, NewMemory(), Config{Now: func() time.Time { return now }})
	seen, unseen := write("k", at(1, 0), nil, "v"), write("k", at(2, 0), nil, "w")
	require1(t, storagepb.Status_OK, c.Do(seen))
	now = now.Add(10 * time.Minute)
	require1(t, storagepb.Status_OK, c.Do(seen))
	now = now.Add(time.Millisecond)
	a := c.Do(seen)
	require1(t, storagepb.Status_TOO_OLD, a)
	require.True(t, a.Seen)
	a = c.Do(unseen)
	require1(t, storagepb.Status_TOO_OLD, a)
	require.False(t, a.Seen)
	holds(t, c, "k", "v")

	now = epoch
	require1(t, storagepb.Status_TOO_OLD, c.Do(unseen)) // the clock went back, the floor did not
	unseen.Origin = storagepb.Origin_NODE
	require1(t, storagepb.Status_OK, c.Do(unseen))
}

func TestARefusalForAgeHoldsAfterARestartWithAClockThatWentBack(t *testing.T) {
	engine := NewMemory()
	old := write("k", at(1, -11*time.Minute), nil, "v")
	first := open(t, engine, Config{})
	require1(t, storagepb.Status_TOO_OLD, first.Do(old))

	restarted := open(t, engine, Config{Now: func() time.Time { return epoch.Add(-5 * time.Minute) }})
	require1(t, storagepb.Status_TOO_OLD, restarted.Do(old))

	other := open(t, NewMemory(), Config{Now: func() time.Time { return epoch.Add(-5 * time.Minute) }})
	require1(t, storagepb.Status_OK, other.Do(old))
}

func TestAnOperationOfTheOtherPolicyIsRefused(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	c.Do(write("k", at(1, 0), nil, "v"))
	require1(t, storagepb.Status_POLICY, c.Do(writeLast("k", at(2, 0), "w")))
	r := read("k", storagepb.Kind_READ_STATE)
	r.Policy = storagepb.Policy_LAST_WRITE_WINS
	require1(t, storagepb.Status_POLICY, c.Do(r))
	holds(t, c, "k", "v")
}

func TestAnOperationThatNobodyWaitsForIsDropped(t *testing.T) {
	c := open(t, NewMemory(), Config{})
	for _, op := range []*wire.Operation{write("k", at(1, 0), nil, "v"), read("k", storagepb.Kind_READ_STATE)} {
		op.TimeoutMs = 5
		answered := make(direct, 1)
		c.run([]*wire.Operation{op}, time.Now().Add(-5*time.Millisecond), answered)
		require1(t, storagepb.Status_EXPIRED, <-answered)
	}
	holds(t, c, "k")
}

func TestTheAuditHearsOfEachClientWriteOnce(t *testing.T) {
	var heard []string
	c := open(t, NewMemory(), Config{Audit: func(tenant string, key []byte, dot vclock.Dot) {
		heard = append(heard, fmt.Sprint(tenant, " ", string(key), " ", uint64(dot.Actor)))
	}})
	c.Do(write("k", at(1, 0), nil, "v"))
	c.Do(write("k", at(1, 0), nil, "v"))
	c.Do(write("k", at(1, 0), nil, "v"))
	fromNode := write("k", at(2, 0), nil, "w")
	fromNode.Origin = storagepb.Origin_NODE
	c.Do(fromNode)
	c.Do(write("k", at(2, 0), nil, "w"))
	c.Do(write("k", at(3, time.Hour), nil, "refused"))
	require.Equal(t, []string{"t k 1"}, heard)
}

func TestLimitsOutOfBoundsAreRefusedByName(t *testing.T) {
	for field, l := range map[string]Limits{
		"MaxValueBytes": {MaxValueBytes: 17 << 20},
		"MaxSiblings":   {MaxSiblings: -1},
		"Skew":          {Skew: 2 * time.Hour},
		"Window":        {Window: time.Second},
		"Retention":     {Retention: time.Second},
		"InHandOps":     {InHandOps: -1},
		"InHandBytes":   {InHandBytes: 1},
	} {
		_, err := New(NewMemory(), here, Config{Limits: l})
		require.ErrorIs(t, err, ErrConfig)
		require.ErrorContains(t, err, field)
	}
	for _, id := range []Identity{{}, {Cluster: "c"}, {Node: "n"}} {
		_, err := New(NewMemory(), id, Config{})
		require.ErrorIs(t, err, ErrConfig)
	}
}

func TestKeysLieInTheOrderOfTheRingsTokens(t *testing.T) {
	r, err := ring.New(ring.Config{}, []ring.Node{{ID: "n1"}})
	require.NoError(t, err)
	for i := range 100 {
		tenant, key := fmt.Sprint("t", i%7), fmt.Sprint("key", i)
		require.Equal(t, r.Token(tenant, key), tokenOf(tenant, []byte(key)))
	}
	key, _ := appendKey(nil, "t", []byte("k"))
	require.Equal(t, "t\x00k", string(key[tokenBytes:]))
}
