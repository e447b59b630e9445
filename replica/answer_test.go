package replica

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// A clock alone, taken for a whole state, would say that all which it covers was
// deleted; a missing "live", taken for "superseded", would count as an acknowledgement.
func TestAnAnswerThatItsKindCannotHaveIsMalformed(t *testing.T) {
	dot := vclock.Dot{Actor: 256, Stamp: 9}
	bare := vclock.State{Clock: vclock.Clock{dot}}
	whole := vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: []byte("v")})
	later := vclock.Dot{Actor: 512, Stamp: 9}
	successor := vclock.WriteState(vclock.Causal, whole.Clock, vclock.Sibling{Dot: later})
	for name, c := range map[string]struct {
		kind  storagepb.Kind
		sent  vclock.State
		state vclock.State
		live  bool
		bad   bool
	}{
		"a whole state":                             {kind: storagepb.Kind_READ_STATE, state: whole},
		"nothing":                                   {kind: storagepb.Kind_READ_STATE},
		"a clock for a whole state":                 {kind: storagepb.Kind_READ_STATE, state: bare, bad: true},
		"a clock":                                   {kind: storagepb.Kind_READ_CLOCK, state: bare},
		"an acknowledgement":                        {kind: storagepb.Kind_MERGE, sent: whole, live: true},
		"an acknowledgement with more clock":        {kind: storagepb.Kind_MERGE, sent: whole, state: vclock.State{Clock: successor.Clock}, live: true},
		"superseded":                                {kind: storagepb.Kind_MERGE, sent: whole, state: successor},
		"superseded, by its clock":                  {kind: storagepb.Kind_MERGE, sent: whole, state: vclock.State{Clock: successor.Clock}},
		"superseded by nothing":                     {kind: storagepb.Kind_MERGE, sent: whole, bad: true},
		"superseded by what does not cover it":      {kind: storagepb.Kind_MERGE, sent: successor, state: whole, bad: true},
		"a digest with a state that nobody asks of": {kind: storagepb.Kind_READ_DIGEST, state: bare},
	} {
		answer := &wire.Answer{Status: storagepb.Status_OK, State: c.state, Live: c.live}
		r := resultOf(answer, &Op{Kind: c.kind, State: c.sent})
		if c.bad {
			require.ErrorIs(t, r.Err, ErrMalformed, name)
		} else {
			require.NoError(t, r.Err, name)
		}
	}
}
