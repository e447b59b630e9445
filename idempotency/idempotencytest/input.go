package idempotencytest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/vclock"
)

// A call is one call of a Store that succeeds where key, intent and ttl are good.
type call struct {
	name string
	run  func(s idempotency.Store, ctx context.Context, key idempotency.Key, i idempotency.Intent, ttl time.Duration) error
}

var calls = []call{
	{"Begin", func(s idempotency.Store, ctx context.Context, key idempotency.Key, i idempotency.Intent, ttl time.Duration) error {
		_, _, err := s.Begin(ctx, key, i, ttl)
		return err
	}},
	{"Complete", func(s idempotency.Store, ctx context.Context, key idempotency.Key, i idempotency.Intent, ttl time.Duration) error {
		return s.Complete(ctx, key, i, result, ttl)
	}},
	{"Replace", func(s idempotency.Store, ctx context.Context, key idempotency.Key, i idempotency.Intent, ttl time.Duration) error {
		_, _, err := s.Replace(ctx, key, vclock.Dot{}, i, ttl)
		return err
	}},
}

var inputs = []storeCase{
	{"a key that breaks a rule is invalid, and stores nothing", func(t *testing.T, f *fixture) {
		for field, change := range map[string]func(*idempotency.Key){
			"Key.Cluster": func(k *idempotency.Key) { k.Cluster = "" },
			"Key.Tenant":  func(k *idempotency.Key) { k.Tenant = strings.Repeat("x", idempotency.MaxNameBytes+1) },
			"Key.Key":     func(k *idempotency.Key) { k.Key = strings.Repeat("x", idempotency.MaxKeyBytes+1) },
			"Key.Token":   func(k *idempotency.Key) { k.Token = "" },
		} {
			key := freshKey()
			change(&key)
			_, found, err := f.Lookup(t.Context(), key)
			require.False(t, found, field)
			invalid(t, err, field)
			for _, c := range calls {
				invalid(t, c.run(f, t.Context(), key, put(1, "a"), long), field)
			}
		}
	}},
	{"an intent that breaks a rule is invalid, and stores nothing", func(t *testing.T, f *fixture) {
		for field, change := range map[string]func(*idempotency.Intent){
			"Intent.Fingerprint": func(i *idempotency.Intent) { i.Fingerprint = idempotency.Fingerprint{} },
			"Intent.Op":          func(i *idempotency.Intent) { i.Op = 0 },
			"Intent.Policy":      func(i *idempotency.Intent) { i.Policy = 2 },
			"Intent.State":       func(i *idempotency.Intent) { i.State.Siblings = nil },
		} {
			for _, c := range calls {
				key, i := freshKey(), put(1, "a")
				change(&i)
				invalid(t, c.run(f, t.Context(), key, i, long), field)
				f.lacks(t, key)
			}
		}
	}},
	{"a result that breaks a rule is invalid, and stores nothing", func(t *testing.T, f *fixture) {
		key, i := freshKey(), put(1, "a")
		invalid(t, f.Complete(t.Context(), key, i, idempotency.Result{Acked: -1}, long), "Result.Acked")
		invalid(t, f.Complete(t.Context(), key, i, idempotency.Result{Owners: 256}, long), "Result.Owners")
		f.lacks(t, key)
	}},
	{"a time to live out of its bounds is invalid, and stores nothing; the greatest is taken", func(t *testing.T, f *fixture) {
		for _, c := range calls {
			key := freshKey()
			for _, ttl := range []time.Duration{0, -1, -time.Hour, idempotency.MaxTTL + 1} {
				invalid(t, c.run(f, t.Context(), key, put(1, "a"), ttl), "TTL")
			}
			f.lacks(t, key)
			require.NoError(t, c.run(f, t.Context(), key, put(1, "a"), idempotency.MaxTTL), c.name)
			_, found, err := f.Lookup(t.Context(), key)
			require.NoError(t, err)
			require.True(t, found, c.name)
			require.NoError(t, c.run(f, t.Context(), freshKey(), put(1, "a"), 1), "%s: a nanosecond is rounded up", c.name)
		}
	}},
	{"a call whose context has ended fails with its error, and stores nothing", func(t *testing.T, f *fixture) {
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
		defer cancel()
		for _, ctx := range []context.Context{cancelled, late} {
			key := freshKey()
			_, found, err := f.Lookup(ctx, key)
			require.ErrorIs(t, err, ctx.Err())
			require.False(t, found)
			for _, c := range calls {
				require.ErrorIs(t, c.run(f, ctx, key, put(1, "a"), long), ctx.Err(), c.name)
			}
			f.lacks(t, key)
		}
	}},
}

func invalid(t *testing.T, err error, field string) {
	t.Helper()
	require.ErrorIs(t, err, idempotency.ErrInvalid)
	var wrong *idempotency.FieldError
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, field, wrong.Field)
}
