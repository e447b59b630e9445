package tenanttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/tenant"
)

// racers is how many goroutines do the same at once.
const racers = 8

var races = []storeCase{
	{"updates by compare-and-set lose none", func(t *testing.T, s tenant.Store) {
		countUp(t, s)
	}},
	{"of creates of one id at once exactly one wins", func(t *testing.T, s tenant.Store) {
		winner := oneWins(t, tenant.ErrExists, func(ctx context.Context, i int) (tenant.Config, error) {
			return s.Create(ctx, tenant.Config{ID: "acme", Limits: tenant.Limits{MaxValueBytes: 1 + i}})
		})
		has(t, s, winner)
	}},
	{"of updates of one version at once exactly one wins", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, tenant.Config{ID: "acme"})
		winner := oneWins(t, tenant.ErrVersion, func(ctx context.Context, i int) (tenant.Config, error) {
			next := kept
			next.Limits.MaxValueBytes = 1 + i
			return s.Update(ctx, next)
		})
		require.Equal(t, kept.Version+1, winner.Version)
		has(t, s, winner)
	}},
	{"of deletes at once exactly one wins", func(t *testing.T, s tenant.Store) {
		kept := create(t, s, tenant.Config{ID: "acme"})
		oneWins(t, tenant.ErrNotFound, func(ctx context.Context, _ int) (tenant.Config, error) {
			return kept, s.Delete(ctx, kept.ID, kept.Version)
		})
		holds(t, s)
	}},
	{"of an update and a delete of one version at once exactly one wins", func(t *testing.T, s tenant.Store) {
		for i := range 5 {
			updateOrDelete(t, s, create(t, s, tenant.Config{ID: fmt.Sprintf("t%d", i)}))
		}
	}},
}

// countUp has goroutines each add to one tenant's limit by get and update. In each round all have got the
// tenant before the first one updates it, so that a store which compares no versions loses some for certain.
func countUp(t *testing.T, s tenant.Store) {
	t.Helper()
	const rounds = 5
	kept := create(t, s, tenant.Config{ID: "acme"})
	ctx := soon(t)
	for range rounds {
		got := make([]tenant.Config, racers)
		atOnce(t, func(g int) (err error) {
			got[g], err = s.Get(ctx, kept.ID)
			return err
		})
		atOnce(t, func(g int) error { return addOne(ctx, s, got[g]) })
	}
	got, err := s.Get(ctx, kept.ID)
	require.NoError(t, err)
	require.Equal(t, racers*rounds, got.Limits.MaxValueBytes)
	require.Equal(t, kept.Version+racers*rounds, got.Version)
}

// addOne adds to the limit of c, which was got before, and gets it anew where another was faster.
func addOne(ctx context.Context, s tenant.Store, c tenant.Config) error {
	for {
		c.Limits.MaxValueBytes++
		_, err := s.Update(ctx, c)
		if !errors.Is(err, tenant.ErrVersion) || ctx.Err() != nil {
			return err
		}
		if c, err = s.Get(ctx, c.ID); err != nil {
			return err
		}
	}
}

// atOnce has every racer do the same, and requires that none meets an error.
func atOnce(t *testing.T, do func(g int) error) {
	t.Helper()
	errs := make([]error, racers)
	var wg sync.WaitGroup
	for g := range racers {
		wg.Go(func() { errs[g] = do(g) })
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
}

// oneWins has goroutines do the same at once, and returns what the only one got that met
// no error. All others' error is lost.
func oneWins(t *testing.T, lost error, do func(ctx context.Context, i int) (tenant.Config, error)) tenant.Config {
	t.Helper()
	ctx := soon(t)
	got := make([]tenant.Config, racers)
	errs := make([]error, racers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range racers {
		wg.Go(func() {
			<-start
			got[i], errs[i] = do(ctx, i)
		})
	}
	close(start)
	wg.Wait()
	winners := 0
	var winner tenant.Config
	for i, err := range errs {
		if err == nil {
			winner = got[i]
			winners++
			continue
		}
		isOnly(t, err, lost)
	}
	require.Equal(t, 1, winners)
	return winner
}

func updateOrDelete(t *testing.T, s tenant.Store, kept tenant.Config) {
	t.Helper()
	ctx := soon(t)
	var updated tenant.Config
	var updateErr, deleteErr error
	var wg sync.WaitGroup
	wg.Go(func() { updated, updateErr = s.Update(ctx, kept) })
	wg.Go(func() { deleteErr = s.Delete(ctx, kept.ID, kept.Version) })
	wg.Wait()
	if updateErr == nil {
		isOnly(t, deleteErr, tenant.ErrVersion)
		has(t, s, updated)
		return
	}
	require.NoError(t, deleteErr)
	isOnly(t, updateErr, tenant.ErrNotFound)
	_, err := s.Get(ctx, kept.ID)
	isOnly(t, err, tenant.ErrNotFound)
}
