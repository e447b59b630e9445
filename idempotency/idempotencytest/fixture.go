package idempotencytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// A fixture is the store of one case. Its own methods fail the test on an error.
type fixture struct {
	idempotency.Store
}

// freshKey names a record that nobody has used.
func freshKey() idempotency.Key {
	return idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "cart/1", Token: idempotency.NewKey()}
}

// put is the n-th write of a key: its dot is its own.
func put(n int, value string) idempotency.Intent {
	dot := vclock.Dot{Actor: vclock.Actor(n+1) * vclock.Lanes, Stamp: vclock.StampOf(int64(n)+1_700_000_000_000, 0)}
	i := idempotency.Intent{
		Op:    idempotency.Put,
		State: vclock.WriteState(vclock.Causal, nil, vclock.Sibling{Dot: dot, Value: []byte(value)}),
	}
	i.Fingerprint = idempotency.FingerprintOf(idempotency.Request{Op: i.Op, Value: []byte(value)})
	return i
}

func unfinished(i idempotency.Intent) idempotency.Record { return idempotency.Record{Intent: i} }

func (f *fixture) begin(t *testing.T, key idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool) {
	t.Helper()
	rec, mine, err := f.Begin(t.Context(), key, i, ttl)
	require.NoError(t, err)
	return rec, mine
}

// begun makes a record, which must be i's own.
func (f *fixture) begun(t *testing.T, key idempotency.Key, i idempotency.Intent, ttl time.Duration) {
	t.Helper()
	rec, mine := f.begin(t, key, i, ttl)
	require.True(t, mine)
	same(t, unfinished(i), rec)
}

func (f *fixture) complete(t *testing.T, key idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) {
	t.Helper()
	require.NoError(t, f.Complete(t.Context(), key, i, r, ttl))
}

func (f *fixture) replace(t *testing.T, key idempotency.Key, old vclock.Dot, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool) {
	t.Helper()
	rec, mine, err := f.Replace(t.Context(), key, old, i, ttl)
	require.NoError(t, err)
	return rec, mine
}

// holds fails the test unless the store has exactly want for key.
func (f *fixture) holds(t *testing.T, key idempotency.Key, want idempotency.Record) {
	t.Helper()
	got, found, err := f.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.True(t, found, "the record is absent")
	same(t, want, got)
}

// lacks fails the test if the store has a record for key.
func (f *fixture) lacks(t *testing.T, key idempotency.Key) {
	t.Helper()
	got, found, err := f.Lookup(t.Context(), key)
	require.NoError(t, err)
	require.False(t, found, "the record is there")
	require.Zero(t, got)
}

// gone waits until key has no record.
func (f *fixture) gone(t *testing.T, key idempotency.Key) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, found, err := f.Lookup(t.Context(), key)
		require.NoError(t, err)
		if !found {
			return
		}
		require.True(t, time.Now().Before(end), "the record outlived its time to live")
	}
}

// same compares all fields. A value of no bytes may come back as nil.
func same(t *testing.T, want, got idempotency.Record) {
	t.Helper()
	require.Equal(t, want.Done, got.Done, "done")
	require.Equal(t, want.Result, got.Result)
	require.Equal(t, want.Intent.Fingerprint, got.Intent.Fingerprint)
	require.Equal(t, want.Intent.Op, got.Intent.Op)
	require.Equal(t, want.Intent.Policy, got.Intent.Policy)
	require.Equal(t, vclock.Equal, want.Intent.State.Clock.Compare(got.Intent.State.Clock),
		"clock: want %v, got %v", want.Intent.State.Clock, got.Intent.State.Clock)
	require.Len(t, got.Intent.State.Siblings, 1)
	w, g := want.Intent.State.Siblings[0], got.Intent.State.Siblings[0]
	require.True(t, string(w.Value) == string(g.Value), "value: want %d bytes, got %d, or others", len(w.Value), len(g.Value))
	w.Value, g.Value = nil, nil
	require.Equal(t, w, g)
}
