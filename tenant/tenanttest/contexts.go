package tenanttest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

var contexts = []storeCase{
	{"who asks with a context that has ended gets its error, and nothing changes", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, acme())
		cancelled, cancel := context.WithCancel(t.Context())
		cancel()
		late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancelLate()
		for want, ctx := range map[error]context.Context{context.Canceled: cancelled, context.DeadlineExceeded: late} {
			_, err := s.Create(ctx, tenant.Config{ID: "zeta"})
			isOnly(t, err, want)
			next := kept
			next.Write = quorum.All
			_, err = s.Update(ctx, next)
			isOnly(t, err, want)
			isOnly(t, s.Delete(ctx, kept.ID, kept.Version), want)
			page, err := s.List(ctx, "", 0)
			isOnly(t, err, want)
			require.Empty(t, page)
			getWithEnded(t, s, ctx, want, kept)
		}
		holds(t, s, kept)
	}},
}

// getWithEnded allows for a store that answers from memory, as that may happen whatever the
// state of ctx.
func getWithEnded(t *testing.T, s tenant.Store, ctx context.Context, want error, kept tenant.Config) { //nolint:revive // t comes first, as everywhere here
	t.Helper()
	got, err := s.Get(ctx, kept.ID)
	_, immediate := s.(tenant.Immediate)
	_, cached := s.(tenant.AtHand)
	if (immediate || cached) && err == nil {
		require.Equal(t, kept, got)
		return
	}
	isOnly(t, err, want)
	require.Zero(t, got)
}
