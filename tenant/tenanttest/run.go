package tenanttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

// patience is how long a correct store never takes, so that one that does not answer
// fails its test: 30 s, or half of what is left to the test binary, so that a short -timeout shows
// the test that failed. No test is about time.
func patience(t *testing.T) time.Duration {
	t.Helper()
	const most = 30 * time.Second
	if deadline, ok := t.Deadline(); ok {
		return min(most, time.Until(deadline)/2)
	}
	return most
}

// NewStore makes a Store without tenants, and has t end it if it must be ended.
type NewStore func(t *testing.T) tenant.Store

// An Option adds to what Run checks.
type Option func(*suite)

// AnotherHandle gives Run a second Store on the data of the one that it is handed, as another
// process would have it: what one does, the other sees at once. By default there is none, and
// what needs two is left out.
func AnotherHandle(another func(t *testing.T, s tenant.Store) tenant.Store) Option {
	return func(r *suite) { r.another = another }
}

// Run checks that the stores of newStore keep the contract of tenant.Store, and of
// tenant.Watcher if they are that. Each subtest makes its own. It runs no bubble of
// testing/synctest, so a store may do real I/O.
func Run(t *testing.T, newStore NewStore, opts ...Option) {
	t.Helper()
	var r suite
	for _, opt := range opts {
		opt(&r)
	}
	for _, cases := range [][]storeCase{lifecycle, versions, listing, times, races, refusals, contexts} {
		runCases(t, newStore, cases)
	}
	if r.another != nil {
		for _, c := range handles {
			t.Run(c.name, func(t *testing.T) {
				one := newStore(t)
				c.run(t, one, r.another(t, one))
			})
		}
	}
	if _, ok := newStore(t).(tenant.Watcher); ok {
		runCases(t, newStore, watches)
	}
}

type suite struct {
	another func(*testing.T, tenant.Store) tenant.Store
}

type storeCase struct {
	name string
	run  func(*testing.T, tenant.Store)
}

func runCases(t *testing.T, newStore NewStore, cases []storeCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, newStore(t)) })
	}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience(t))
	t.Cleanup(cancel)
	return ctx
}

func create(t *testing.T, s tenant.Store, c tenant.Config) tenant.Config {
	t.Helper()
	kept, err := s.Create(soon(t), c)
	require.NoError(t, err)
	return kept
}

func update(t *testing.T, s tenant.Store, c tenant.Config) tenant.Config {
	t.Helper()
	kept, err := s.Update(soon(t), c)
	require.NoError(t, err)
	return kept
}

func remove(t *testing.T, s tenant.Store, c tenant.Config) {
	t.Helper()
	require.NoError(t, s.Delete(soon(t), c.ID, c.Version))
}

// has requires that s keeps exactly want under its id.
func has(t *testing.T, s tenant.Store, want tenant.Config) {
	t.Helper()
	got, err := s.Get(soon(t), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// holds requires that s has exactly the given tenants, which are in the order of their ids.
func holds(t *testing.T, s tenant.Store, want ...tenant.Config) {
	t.Helper()
	got, err := s.List(soon(t), "", tenant.MaxList)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
}

// isOnly requires that err is want, and none of the other errors of the contract.
func isOnly(t *testing.T, err, want error) {
	t.Helper()
	require.ErrorIs(t, err, want)
	for _, other := range []error{
		tenant.ErrNotFound, tenant.ErrInvalid, tenant.ErrExists, tenant.ErrVersion, tenant.ErrImmutable,
		tenant.ErrReadOnly, context.Canceled, context.DeadlineExceeded,
	} {
		if !errors.Is(want, other) {
			require.NotErrorIs(t, err, other)
		}
	}
}

// acme is a tenant that uses every field that a caller sets.
func acme() tenant.Config {
	return tenant.Config{
		ID: "acme", Replicas: 5, Read: quorum.One, Write: quorum.Three,
		Limits: tenant.Limits{MaxValueBytes: 4096},
	}
}
