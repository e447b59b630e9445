package node

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
)

// A wall is a clock to be set, and what has passed by a clock that cannot be.
type wall struct {
	now     time.Time
	elapsed time.Duration
}

func (w *wall) read() time.Time { return w.now }

func (w *wall) passed() time.Duration { return w.elapsed }

// pass lets time pass by both clocks.
func (w *wall) pass(d time.Duration) { w.now, w.elapsed = w.now.Add(d), w.elapsed+d }

func (w *wall) jump(d time.Duration) { w.now = w.now.Add(d) }

func TestAClockThatWasAheadForOneBatchShutsNobodyOut(t *testing.T) {
	for name, during := range map[string]func() *wire.Operation{
		"a client's write that was refused": func() *wire.Operation { return write("k", at(1, 0), nil, "v") },
		"a merge of a node": func() *wire.Operation {
			op := write("k", at(1, 0), nil, "v")
			op.Origin = storagepb.Origin_NODE
			return op
		},
	} {
		t.Run(name, func(t *testing.T) {
			engine, w := NewMemory(), &wall{now: epoch}
			c := open(t, engine, Config{Now: w.read})
			w.jump(24 * time.Hour)
			c.Do(during())
			w.jump(-24*time.Hour + time.Second)
			require1(t, storagepb.Status_OK, c.Do(write("k2", at(1, time.Second), nil, "v")))
			w.pass(time.Minute)
			restarted := open(t, engine, Config{Now: w.read})
			require1(t, storagepb.Status_OK, restarted.Do(write("k3", at(1, time.Second+time.Minute), nil, "v")))
		})
	}
}

func TestWhoWasToldTooOldUnderAWrongClockMayRelyOnIt(t *testing.T) {
	engine, w := NewMemory(), &wall{now: epoch.Add(24 * time.Hour)}
	c := open(t, engine, Config{Now: w.read})
	op := write("k", at(1, 0), nil, "v")
	require1(t, storagepb.Status_TOO_OLD, c.Do(op))
	w.now = epoch
	require1(t, storagepb.Status_TOO_OLD, c.Do(op))
	require1(t, storagepb.Status_TOO_OLD, open(t, engine, Config{Now: w.read}).Do(op))
	holds(t, c, "k")
}

func TestAClockThatJumpsWhileTheNodeRunsStopsClientWritesUntilItIsBack(t *testing.T) {
	for _, jump := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			w, log := &wall{now: epoch}, new(bytes.Buffer)
			c := open(t, NewMemory(), Config{Now: w.read, Elapsed: w.passed, Log: slog.New(slog.NewTextHandler(log, nil))})
			w.pass(time.Hour)
			require1(t, storagepb.Status_OK, c.Do(write("k", at(1, time.Hour), nil, "v")))
			w.jump(jump)
			for range 2 {
				a := c.Do(write("k", at(1, time.Hour+jump), nil, "v"))
				require1(t, storagepb.Status_TOO_FAR_AHEAD, a)
				require.Contains(t, a.Detail, "node's own clock jumped by "+jump.String())
			}
			require.Equal(t, 1, strings.Count(log.String(), "clock has jumped"))
			fromNode := write("k", at(2, 0), nil, "w")
			fromNode.Origin = storagepb.Origin_NODE
			require1(t, storagepb.Status_OK, c.Do(fromNode))
			require1(t, storagepb.Status_OK, c.Do(read("k", storagepb.Kind_READ_STATE)))
			w.jump(-jump)
			require1(t, storagepb.Status_OK, c.Do(write("k", at(1, time.Hour), nil, "v")))
		})
	}
}

func TestAClockThatKeepsItsTimeAfterAJumpIsBelieved(t *testing.T) {
	w := &wall{now: epoch}
	c := open(t, NewMemory(), Config{Now: w.read, Elapsed: w.passed})
	try := func() storagepb.Status {
		return c.Do(write("k", at(1, w.now.Sub(epoch)), nil, "v")).Status
	}
	w.jump(8 * time.Hour) // the machine slept
	require.Equal(t, storagepb.Status_TOO_FAR_AHEAD, try())
	w.pass(c.Limits().Skew - 1)
	require.Equal(t, storagepb.Status_TOO_FAR_AHEAD, try())
	w.jump(2 * time.Hour) // not yet settled
	require.Equal(t, storagepb.Status_TOO_FAR_AHEAD, try())
	w.pass(c.Limits().Skew - 1)
	require.Equal(t, storagepb.Status_TOO_FAR_AHEAD, try())
	w.pass(1)
	require.Equal(t, storagepb.Status_OK, try())
	w.jump(c.Limits().Skew)
	require.Equal(t, storagepb.Status_OK, try(), "no more than the skew limit is no jump")
}

func TestAFloorAheadOfTheClockIsSaidSoAtTheStartAndInRefusals(t *testing.T) {
	engine := NewMemory()
	tomorrow := epoch.Add(24 * time.Hour)
	ahead := open(t, engine, Config{Now: func() time.Time { return tomorrow }})
	require1(t, storagepb.Status_TOO_OLD, ahead.Do(write("k", at(1, 23*time.Hour), nil, "v")))

	log := new(bytes.Buffer)
	c := open(t, engine, Config{Log: slog.New(slog.NewTextHandler(log, nil))})
	require.Contains(t, log.String(), "the window's floor is ahead of this clock")
	until := time.UnixMilli(c.sync.floor.Load()).UTC()
	require.Contains(t, log.String(), until.Format("2006-01-02T15:04:05"))
	a := c.Do(write("k", at(1, 0), nil, "v"))
	require1(t, storagepb.Status_TOO_OLD, a)
	require.Contains(t, a.Detail, "client writes are refused until "+until.Format(time.RFC3339))
	require.Equal(t, 1, strings.Count(log.String(), "floor is ahead"), "once a minute")
}

func TestARestartLeavesMostOfAShortWindowOpen(t *testing.T) {
	engine := NewMemory()
	config := Config{Limits: Limits{Skew: time.Second, Window: 8 * time.Second}}
	require1(t, storagepb.Status_TOO_OLD, open(t, engine, config).Do(write("k", at(1, -8001*time.Millisecond), nil, "v")))
	restarted := open(t, engine, config)
	require1(t, storagepb.Status_TOO_OLD, restarted.Do(write("k", at(1, -6001*time.Millisecond), nil, "v")))
	require1(t, storagepb.Status_OK, restarted.Do(write("k", at(1, -6*time.Second), nil, "v")))
}
