package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// Values that a write drops are not read, and a state that it replaces wholly is not even decoded. What is stored, answered
// and told to the audit must be as if they were: that of vclock.Join of whole states, values included.
func TestAMergeThatReadsNoMoreThanItNeedsDoesWhatTheJoinOfWholeStatesSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		audited := 0
		c, err := New(NewMemory(), here, Config{
			NoSync: true, Now: func() time.Time { return epoch }, CacheBytes: rapid.SampledFrom([]int{0, 1 << 20}).Draw(t, "cache"),
			Audit: func(string, []byte, vclock.Dot) { audited++ },
		})
		require.NoError(t, err)
		defer c.Close()
		policy := rapid.SampledFrom([]vclock.Policy{vclock.Causal, vclock.LastWriteWins}).Draw(t, "policy")
		var want vclock.State
		var sent []vclock.State
		for n := range rapid.IntRange(1, 20).Draw(t, "merges") {
			s := drawnWrite(t, policy, n, want, sent)
			sent = append(sent, s)
			origin := rapid.SampledFrom([]storagepb.Origin{storagepb.Origin_NODE, storagepb.Origin_CLIENT}).Draw(t, "origin")
			a := c.Do(&wire.Operation{Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte("k"), State: s, Origin: origin, Policy: storagepb.Policy(policy)})
			dot, first := s.Siblings[0].Dot, 0
			if seen := want.Covers(policy, dot); origin == storagepb.Origin_CLIENT {
				if status := judged(s); status != storagepb.Status_OK {
					require.Equal(t, status, a.Status)
					require.Equal(t, seen && status == storagepb.Status_TOO_OLD, a.Seen)
					continue
				}
				if !seen {
					first = 1
				}
			}
			require.Equal(t, storagepb.Status_OK, a.Status)
			require.Equal(t, first, audited)
			audited = 0
			want = vclock.Join(policy, want, s)
			_, got, err := c.Inspect("t", []byte("k"))
			require.NoError(t, err)
			require.Equal(t, want, got)
			requireAcknowledged(t, policy, want, s, a)
		}
	})
}

// judged is what a client's write is answered for its time.
func judged(s vclock.State) storagepb.Status {
	limits := Limits{}.withDefaults()
	switch dot := s.Siblings[0].Dot; {
	case max(dot.Stamp, s.Clock.Newest()).Time().After(epoch.Add(limits.Skew)):
		return storagepb.Status_TOO_FAR_AHEAD
	case dot.Stamp.Time().Before(epoch.Add(-limits.Window)):
		return storagepb.Status_TOO_OLD
	default:
		return storagepb.Status_OK
	}
}

func requireAcknowledged(t *rapid.T, policy vclock.Policy, joined, sent vclock.State, a *wire.Answer) {
	require.Equal(t, joined.Has(sent.Siblings[0].Dot), a.Live)
	switch {
	case joined.Equal(sent):
		require.Equal(t, vclock.State{}, a.State)
	case policy == vclock.LastWriteWins:
		require.Equal(t, joined.WithoutValues(), a.State)
	case a.Live:
		require.Equal(t, vclock.State{Clock: joined.Clock}, a.State)
	default:
		require.Equal(t, joined, a.State)
	}
}

// drawnWrite is a write on top of some of what is stored, of all of it or of nothing, or one that was sent before.
func drawnWrite(t *rapid.T, policy vclock.Policy, n int, has vclock.State, sent []vclock.State) vclock.State {
	if len(sent) > 0 && rapid.IntRange(0, 4).Draw(t, "again") == 0 {
		return rapid.SampledFrom(sent).Draw(t, "which")
	}
	after := time.Duration(rapid.IntRange(0, 50).Draw(t, "ms")) * time.Millisecond
	switch rapid.IntRange(0, 9).Draw(t, "time") {
	case 0:
		after -= 11 * time.Minute
	case 1:
		after += 2 * time.Minute
	}
	dot := at(vclock.Actor(100+n), after)
	var ctx vclock.Clock
	switch rapid.IntRange(0, 2).Draw(t, "on top of") {
	case 0:
		ctx = has.Clock
	case 1:
		for _, d := range has.Clock {
			if rapid.Bool().Draw(t, "seen") {
				ctx = ctx.With(d)
			}
		}
	}
	return vclock.WriteState(policy, ctx, vclock.Sibling{Dot: dot, Value: []byte{byte(n), 1}})
}
