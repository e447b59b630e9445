package quorum

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/vclock"
)

func TestCommonRequestsDoNotAllocate(t *testing.T) {
	var w Write
	writing := writeOf(three, Quorum, vclock.Causal)
	require.NoError(t, w.Init(writing))
	unsent := w
	require.Zero(t, testing.AllocsPerRun(100, func() {
		w = unsent
		w.Start()
		for i := range 3 {
			w.Reply(i, Ack{Live: true})
		}
	}))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		_ = w.Init(writing)
	}), 2.0, "the state that is sent: its clock and its one sibling")

	var r Read
	reading := readOf(three, Quorum)
	digest := digestOf(newer)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = r.Init(reading)
		r.Start()
		r.Reply(0, Answer{State: newer})
		r.Reply(1, digest)
	}))
	require.Equal(t, Won, r.Outcome())

	var s Settle
	settle := settleOf(three, Quorum, FirstN(2))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = s.Init(settle)
		s.Start()
		s.Reply(0, SettleAnswer{State: newer})
		s.Reply(1, SettleAnswer{State: newer})
		s.Reply(0, SettleAnswer{})
		s.Reply(1, SettleAnswer{})
	}), "what agrees costs no join")
	require.Equal(t, Won, s.Outcome())
}

func BenchmarkWrite(b *testing.B) {
	var w Write
	p := writeOf(three, Quorum, vclock.Causal)
	b.ReportAllocs()
	for b.Loop() {
		_ = w.Init(p)
		w.Start()
		for i := range 3 {
			w.Reply(i, Ack{Live: true})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var r Read
	p := readOf(three, Quorum)
	digest := digestOf(newer)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Init(p)
		r.Start()
		r.Reply(0, Answer{State: newer})
		r.Reply(1, digest)
	}
}
