package idempotencytest

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

var forms = []storeCase{
	{"an intent of any form comes back whole, begun, replaced and finished", func(t *testing.T, f *fixture) {
		for name, i := range intents() {
			require.NoError(t, i.Validate(), name)
			key := freshKey()
			f.begun(t, key, i, long)
			f.holds(t, key, unfinished(i))
			f.complete(t, key, i, result, long)
			f.holds(t, key, idempotency.Finished(i, result))

			key, old := freshKey(), put(1, "old")
			f.begun(t, key, old, long)
			rec, mine := f.replace(t, key, old.Dot(), i, long)
			require.True(t, mine, name)
			same(t, unfinished(i), rec)
			f.holds(t, key, unfinished(i))
		}
	}},
	{"what was answered does not change when the record does", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		rec, _ := f.begin(t, key, i, long)
		f.complete(t, key, i, result, long)
		same(t, unfinished(i), rec)
	}},
}

// intents are of every policy and operation, with clocks and values of many sizes.
func intents() map[string]idempotency.Intent {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	all := make(map[string]idempotency.Intent)
	add := func(name string, op idempotency.Op, p vclock.Policy, seen vclock.Clock, s vclock.Sibling) {
		if s.Dot.IsZero() {
			s.Dot = vclock.Dot{Actor: 1 << 40, Stamp: 1 << 60}
		}
		all[name] = idempotency.Intent{
			Fingerprint: idempotency.Fingerprint{0: byte(len(all)), 15: 1},
			Op:          op, Policy: p, State: vclock.WriteState(p, seen, s),
		}
	}
	for name, value := range map[string]string{
		"of 0 B": "", "of 100 B": strings.Repeat("x", 100), "of 1 MiB": strings.Repeat("\x00\xff", 1<<19), "of every byte": string(every),
	} {
		add("a value "+name, idempotency.Put, vclock.Causal, clock(1), vclock.Sibling{Value: []byte(value)})
		add("a last write "+name, idempotency.Put, vclock.LastWriteWins, nil, vclock.Sibling{Value: []byte(value)})
	}
	for name, entries := range map[string]int{"none": 0, "one": 1, "fifty": 50} {
		add("a clock of "+name, idempotency.Update, vclock.Causal, clock(entries), vclock.Sibling{Value: []byte("v")})
	}
	for _, p := range []vclock.Policy{vclock.Causal, vclock.LastWriteWins} {
		tombstone := vclock.Sibling{Tombstone: true}
		add("a delete, "+p.String(), idempotency.Delete, p, clock(2), tombstone)
		add("an update that deletes, "+p.String(), idempotency.Update, p, nil, tombstone)
		add("a value that expires, "+p.String(), idempotency.Put, p, nil, vclock.Sibling{Value: []byte("v"), Expires: 1_700_000_000_123})
	}
	add("the greatest numbers", idempotency.Put, vclock.Causal, clock(1), vclock.Sibling{
		Dot: vclock.Dot{Actor: math.MaxUint64, Stamp: math.MaxUint64}, Value: []byte("v"), Expires: math.MaxInt64,
	})
	add("the least numbers", idempotency.Put, vclock.LastWriteWins, nil, vclock.Sibling{
		Dot: vclock.Dot{Stamp: 1}, Value: []byte("v"), Expires: 1,
	})
	return all
}

func clock(entries int) vclock.Clock {
	var c vclock.Clock
	for i := range entries {
		c = append(c, vclock.Dot{Actor: vclock.Actor(i+1) * vclock.Lanes, Stamp: vclock.Stamp(1<<50 + i)})
	}
	return c
}
