package tenant_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/vclock"
)

func TestNewMemoryRefusesWhatCreateWould(t *testing.T) {
	for want, configs := range map[error][]tenant.Config{
		tenant.ErrInvalid: {{ID: "acme"}, {ID: "a/b"}},
		tenant.ErrExists:  {{ID: "acme"}, {ID: "acme"}},
	} {
		_, err := tenant.NewMemory(configs...)
		require.ErrorIs(t, err, want)
		require.ErrorContains(t, err, "config 1") // for people: which of them
	}
}

func TestMemoryTakesTheTimeOfItsBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, tenant.Config{ID: "acme"})
		time.Sleep(time.Hour)
		kept, err := m.Get(t.Context(), "acme")
		require.NoError(t, err)
		kept, err = m.Update(t.Context(), kept)
		require.NoError(t, err)
		require.Equal(t, time.Hour, kept.Updated.Sub(kept.Created))
	})
}

func TestAWatcherOfAMemoryThatIsSlowIsToldThatAnythingMayHaveChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		ctx, cancel := context.WithCancel(t.Context())
		var told []string
		slow := make(chan struct{})
		ended := make(chan error)
		go func() {
			ended <- m.Watch(ctx, func(id string) {
				told = append(told, id)
				<-slow
			})
		}()
		synctest.Wait() // it is being told that it listens
		for i := range 5000 {
			_, err := m.Create(t.Context(), tenant.Config{ID: fmt.Sprintf("t%d", i)})
			require.NoError(t, err)
		}
		close(slow)
		synctest.Wait()
		require.Equal(t, []string{"", ""}, told)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func TestAChangeKeepsWhatCannotChangeWhateverItIsGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := func(label string) tenant.Config {
			return tenant.Config{
				ID:       "acme",
				Replicas: rapid.IntRange(1, tenant.MaxReplicas).Draw(t, label+" replicas"),
				Policy:   rapid.SampledFrom([]vclock.Policy{vclock.Causal, vclock.LastWriteWins}).Draw(t, label+" policy"),
				Limits:   tenant.Limits{MaxValueBytes: rapid.IntRange(0, 9).Draw(t, label+" limit")},
			}
		}
		at := time.Unix(rapid.Int64Range(0, 1000).Draw(t, "created"), 0)
		has, err := tenant.Creation(config("has"), at)
		if err != nil {
			t.Fatal(err)
		}
		c := config("given")
		c.Version = rapid.Uint64Range(0, 2).Draw(t, "version")
		now := time.Unix(rapid.Int64Range(0, 1000).Draw(t, "now"), 999)
		next, err := tenant.Change(has, c, now)
		switch {
		case c.Version != has.Version:
			require.ErrorIs(t, err, tenant.ErrVersion)
		case c.Replicas != has.Replicas || c.Policy != has.Policy:
			require.ErrorIs(t, err, tenant.ErrImmutable)
		default:
			require.NoError(t, err)
			require.Equal(t, c.Limits, next.Limits)
			require.Equal(t, has.Version+1, next.Version)
			require.Equal(t, has.Created, next.Created)
			require.False(t, next.Updated.Before(has.Updated))
			return
		}
		require.Zero(t, next)
	})
}

func TestAnErrorForWhatCannotChangeSaysWhatToDo(t *testing.T) {
	m := newMemory(t, tenant.Config{ID: "acme"})
	_, err := m.Update(t.Context(), tenant.Config{ID: "acme", Replicas: 5, Policy: vclock.LastWriteWins, Version: 1})
	require.ErrorIs(t, err, tenant.ErrImmutable)
	require.Equal(t, []string{"Replicas", "Policy"}, fields(err))
	require.ErrorContains(t, err, "cannot be changed to 5")
	require.ErrorContains(t, err, "copy the keys")
}
