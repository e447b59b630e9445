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

// Values that a write drops are not read. What is stored and answered must be as if they were: that of vclock.Join of
// whole states, values included.
func TestAMergeThatReadsNoValuesStoresWhatTheJoinOfWholeStatesIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := New(NewMemory(), here, Config{NoSync: true, Now: func() time.Time { return epoch }})
		require.NoError(t, err)
		defer c.Close()
		policy := rapid.SampledFrom([]vclock.Policy{vclock.Causal, vclock.LastWriteWins}).Draw(t, "policy")
		var want vclock.State
		var sent []vclock.State
		for n := range rapid.IntRange(1, 20).Draw(t, "merges") {
			s := drawnWrite(t, policy, n, want, sent)
			sent = append(sent, s)
			op := &wire.Operation{Kind: storagepb.Kind_MERGE, Tenant: "t", Key: []byte("k"), State: s, Origin: storagepb.Origin_NODE, Policy: storagepb.Policy(policy)}
			a := c.Do(op)
			require.Equal(t, storagepb.Status_OK, a.Status)
			want = vclock.Join(policy, want, s)
			_, got, err := c.Inspect("t", []byte("k"))
			require.NoError(t, err)
			require.Equal(t, want, got)
			if !a.Live && policy == vclock.Causal {
				require.Equal(t, want, a.State)
			}
		}
	})
}

// drawnWrite is a write on top of some of what is stored, of all of it or of nothing, or one that was sent before.
func drawnWrite(t *rapid.T, policy vclock.Policy, n int, has vclock.State, sent []vclock.State) vclock.State {
	if len(sent) > 0 && rapid.IntRange(0, 4).Draw(t, "again") == 0 {
		return rapid.SampledFrom(sent).Draw(t, "which")
	}
	dot := at(vclock.Actor(100+n), time.Duration(rapid.IntRange(0, 50).Draw(t, "ms"))*time.Millisecond)
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
