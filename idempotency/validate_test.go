package idempotency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

var goodKey = idempotency.Key{Cluster: "shop", Tenant: "acme", Key: "cart/1", Token: "t"}

// fields returns the fields that err and the errors that it joins complain of, in order.
func fields(t *testing.T, err error) []string {
	t.Helper()
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *idempotency.FieldError:
		require.ErrorIs(t, err, idempotency.ErrInvalid)
		return []string{e.Field}
	case interface{ Unwrap() []error }:
		var all []string
		for _, err := range e.Unwrap() {
			all = append(all, fields(t, err)...)
		}
		return all
	default:
		require.Fail(t, "not of one field", "%v", err)
		return nil
	}
}

func TestAKeyThatBreaksARuleIsRefusedByField(t *testing.T) {
	require.NoError(t, goodKey.Validate())
	longest := idempotency.Key{
		Cluster: strings.Repeat("a", 128), Tenant: strings.Repeat("-", 128),
		Key: strings.Repeat("\x00", 1024), Token: strings.Repeat("\xff", 255),
	}
	require.NoError(t, longest.Validate())
	for _, c := range []struct {
		field string
		key   func(*idempotency.Key)
	}{
		{"Key.Cluster", func(k *idempotency.Key) { k.Cluster = "" }},
		{"Key.Cluster", func(k *idempotency.Key) { k.Cluster = "a/b" }},
		{"Key.Cluster", func(k *idempotency.Key) { k.Cluster = strings.Repeat("a", 129) }},
		{"Key.Tenant", func(k *idempotency.Key) { k.Tenant = "" }},
		{"Key.Tenant", func(k *idempotency.Key) { k.Tenant = "é" }},
		{"Key.Tenant", func(k *idempotency.Key) { k.Tenant = strings.Repeat("a", 129) }},
		{"Key.Key", func(k *idempotency.Key) { k.Key = "" }},
		{"Key.Key", func(k *idempotency.Key) { k.Key = strings.Repeat("a", 1025) }},
		{"Key.Token", func(k *idempotency.Key) { k.Token = "" }},
		{"Key.Token", func(k *idempotency.Key) { k.Token = strings.Repeat("a", 256) }},
	} {
		key := goodKey
		c.key(&key)
		require.Equal(t, []string{c.field}, fields(t, key.Validate()))
	}
	require.Equal(t, []string{"Key.Cluster", "Key.Tenant", "Key.Key", "Key.Token"}, fields(t, idempotency.Key{}.Validate()))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = goodKey.Validate() }))
}

func TestAnIntentThatBreaksARuleIsRefusedByField(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { require.NoError(t, intents.Draw(t, "intent").Validate()) })
	for _, c := range []struct {
		name, field string
		change      func(*idempotency.Intent)
	}{
		{"no fingerprint", "Intent.Fingerprint", func(i *idempotency.Intent) { i.Fingerprint = idempotency.Fingerprint{} }},
		{"no operation", "Intent.Op", func(i *idempotency.Intent) { i.Op = 0 }},
		{"unknown operation", "Intent.Op", func(i *idempotency.Intent) { i.Op = 4 }},
		{"unknown policy", "Intent.Policy", func(i *idempotency.Intent) { i.Policy = 2 }},
		{"no sibling", "Intent.State", func(i *idempotency.Intent) { i.State.Siblings = nil }},
		{"two siblings", "Intent.State", func(i *idempotency.Intent) {
			i.State.Siblings = append([]vclock.Sibling{{Dot: i.State.Clock[0]}}, i.State.Siblings...)
		}},
		{"a zero dot", "Intent.State", func(i *idempotency.Intent) { i.State.Siblings[0].Dot = vclock.Dot{} }},
		{"a clock that does not cover the dot", "Intent.State", func(i *idempotency.Intent) { i.State.Clock = i.State.Clock[:1] }},
		{"a clock that has seen more of the actor", "Intent.State", func(i *idempotency.Intent) { i.State.Clock[1].Stamp++ }},
		{"a clock of a last write", "Intent.State", func(i *idempotency.Intent) { i.Policy = vclock.LastWriteWins }},
		{"a put of a tombstone", "Intent.State", func(i *idempotency.Intent) {
			i.State.Siblings[0].Value, i.State.Siblings[0].Tombstone = nil, true
		}},
		{"a delete of a value", "Intent.State", func(i *idempotency.Intent) { i.Op = idempotency.Delete }},
		{"a negative expiry", "Intent.State", func(i *idempotency.Intent) { i.State.Siblings[0].Expires = -1 }},
		{"a value too large", "Intent.State", func(i *idempotency.Intent) {
			i.State.Siblings[0].Value = make([]byte, idempotency.MaxValueBytes+1)
		}},
		{"a clock too large", "Intent.State", func(i *idempotency.Intent) {
			i.State.Clock = make(vclock.Clock, idempotency.MaxClockEntries+1)
		}},
	} {
		i := put("abc")
		require.NoError(t, i.Validate())
		c.change(&i)
		require.Equal(t, []string{c.field}, fields(t, i.Validate()), c.name)
	}
	require.Equal(t, []string{"Intent.Fingerprint", "Intent.Op", "Intent.State"}, fields(t, idempotency.Intent{}.Validate()))
}

func TestAResultThatBreaksARuleIsRefusedByField(t *testing.T) {
	for _, good := range []idempotency.Result{{}, {Acked: 255, Owners: 255, Superseded: true}} {
		require.NoError(t, good.Validate())
	}
	for _, n := range []int{-1, 256} {
		require.Equal(t, []string{"Result.Acked"}, fields(t, idempotency.Result{Acked: n}.Validate()))
		require.Equal(t, []string{"Result.Owners"}, fields(t, idempotency.Result{Owners: n}.Validate()))
	}
}

func TestATimeToLiveOutOfItsBoundsIsRefused(t *testing.T) {
	for _, good := range []time.Duration{1, time.Hour, idempotency.MaxTTL} {
		require.NoError(t, idempotency.CheckTTL(good))
	}
	for _, bad := range []time.Duration{0, -1, idempotency.MaxTTL + 1} {
		require.Equal(t, []string{"TTL"}, fields(t, idempotency.CheckTTL(bad)))
	}
}

func TestNoTwoNewKeysAreTheSame(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		token := idempotency.NewKey()
		require.Regexp(t, `^[A-Z2-7]{26}$`, token)
		require.False(t, seen[token])
		seen[token] = true
	}
}
