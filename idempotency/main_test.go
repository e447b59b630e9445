package idempotency_test

import (
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// intents draws valid intents of any shape.
var intents = rapid.Custom(func(t *rapid.T) idempotency.Intent {
	i := idempotency.Intent{
		Op:     rapid.SampledFrom([]idempotency.Op{idempotency.Put, idempotency.Delete, idempotency.Update}).Draw(t, "op"),
		Policy: rapid.SampledFrom([]vclock.Policy{vclock.Causal, vclock.LastWriteWins}).Draw(t, "policy"),
	}
	copy(i.Fingerprint[:], rapid.SliceOfN(rapid.Byte(), 15, 15).Draw(t, "fingerprint"))
	i.Fingerprint[15] = 1
	write := vclock.Sibling{
		Dot:       dots.Draw(t, "dot"),
		Tombstone: i.Op == idempotency.Delete || i.Op == idempotency.Update && rapid.Bool().Draw(t, "tombstone"),
		Expires:   rapid.Int64Min(0).Draw(t, "expires"),
	}
	if !write.Tombstone {
		write.Value = rapid.SliceOf(rapid.Byte()).Draw(t, "value")
	}
	var seen vclock.Clock
	for _, d := range rapid.SliceOfN(dots, 0, 20).Draw(t, "seen") {
		if d.Actor != write.Dot.Actor {
			seen = seen.With(d)
		}
	}
	i.State = vclock.WriteState(i.Policy, seen, write)
	return i
})

var dots = rapid.Custom(func(t *rapid.T) vclock.Dot {
	return vclock.Dot{
		Actor: vclock.Actor(rapid.Uint64().Draw(t, "actor")),
		Stamp: vclock.Stamp(rapid.Uint64Min(1).Draw(t, "stamp")),
	}
})

var results = rapid.Custom(func(t *rapid.T) idempotency.Result {
	return idempotency.Result{
		Acked:      rapid.IntRange(0, 255).Draw(t, "acked"),
		Owners:     rapid.IntRange(0, 255).Draw(t, "owners"),
		Superseded: rapid.Bool().Draw(t, "superseded"),
	}
})

// put is an intent that uses every field.
func put(value string) idempotency.Intent {
	dot := vclock.Dot{Actor: 0x0102030405060700, Stamp: 0x1112131415161718}
	return idempotency.Intent{
		Fingerprint: idempotency.Fingerprint{15: 9},
		Op:          idempotency.Put,
		State: vclock.WriteState(vclock.Causal, vclock.Clock{{Actor: 256, Stamp: 5}}, vclock.Sibling{
			Dot: dot, Value: []byte(value), Expires: 1000,
		}),
	}
}
