package tenant_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/tenant"
)

// A scriptedStore is a Memory whose reads and writes a test can hold up.
type scriptedStore struct {
	*tenant.Memory
	mu    sync.Mutex
	err   error         // guarded by mu; what Get and Update fail with, Update after it was done
	reads chan struct{} // guarded by mu; what Get waits for between reading and answering
	late  chan struct{} // guarded by mu; what changes wait for between being done and answering
	gets  int           // guarded by mu
}

func (s *scriptedStore) script(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *scriptedStore) Get(ctx context.Context, id string) (tenant.Config, error) {
	s.mu.Lock()
	s.gets++
	reads, scripted := s.reads, s.err
	s.mu.Unlock()
	c, err := s.Memory.Get(ctx, id)
	if reads != nil {
		<-reads
	}
	if scripted != nil {
		return tenant.Config{}, scripted
	}
	return c, err
}

func (s *scriptedStore) Create(ctx context.Context, c tenant.Config) (tenant.Config, error) {
	return s.answer(s.Memory.Create(ctx, c))
}

func (s *scriptedStore) Update(ctx context.Context, c tenant.Config) (tenant.Config, error) {
	return s.answer(s.Memory.Update(ctx, c))
}

func (s *scriptedStore) answer(c tenant.Config, err error) (tenant.Config, error) {
	s.mu.Lock()
	late, scripted := s.late, s.err
	s.mu.Unlock()
	if late != nil {
		<-late
	}
	if scripted != nil {
		return tenant.Config{}, scripted
	}
	return c, err
}

// unwatched hides that a store is a Watcher.
type unwatched struct{ tenant.Store }

func TestChangesThroughTheCacheTakeEffectForItsNextGetWithoutAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t)}
		c := newCache(t, unwatched{s})
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
		require.Equal(t, 1, s.gets)

		kept, err := c.Create(t.Context(), tenant.Config{ID: "acme"})
		require.NoError(t, err)
		got, ok := c.AtHand("acme")
		require.True(t, ok)
		require.Equal(t, kept, got)

		kept.Write = quorum.All
		kept, err = c.Update(t.Context(), kept)
		require.NoError(t, err)
		got, ok = c.AtHand("acme")
		require.True(t, ok)
		require.Equal(t, kept, got)

		require.NoError(t, c.Delete(t.Context(), "acme", kept.Version))
		_, ok = c.AtHand("acme")
		require.False(t, ok)
		_, err = c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
		require.Equal(t, 1, s.gets)
	})
}

func TestAReaderThatIsNoStoreCannotBeManagedThroughTheCache(t *testing.T) {
	c := newCache(t, tenant.Any())
	_, err := c.Create(t.Context(), tenant.Config{ID: "acme"})
	require.ErrorIs(t, err, tenant.ErrReadOnly)
	_, err = c.Update(t.Context(), tenant.Config{ID: "acme"})
	require.ErrorIs(t, err, tenant.ErrReadOnly)
	_, err = c.List(t.Context(), "", 0)
	require.ErrorIs(t, err, tenant.ErrReadOnly)
	require.ErrorIs(t, c.Delete(t.Context(), "acme", 1), tenant.ErrReadOnly)
}

func TestAfterAVersionConflictTheNextGetAsksTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, tenant.Config{ID: "acme"})
		c := newCache(t, unwatched{m})
		held, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		want, err := m.Update(t.Context(), held) // another process
		require.NoError(t, err)
		_, err = c.Update(t.Context(), held)
		require.ErrorIs(t, err, tenant.ErrVersion)
		got, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestAfterAVersionConflictTheNextGetAsksTheStoreAlsoWhenItWasDownBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}
		c := newCache(t, unwatched{s})
		held, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		s.script(func() { s.err = errDown })
		time.Sleep(ttl)
		version(t, c, "acme")
		s.script(func() { s.err = nil })
		_, err = s.Memory.Update(t.Context(), held)
		require.NoError(t, err)
		_, err = c.Update(t.Context(), held)
		require.ErrorIs(t, err, tenant.ErrVersion)
		require.Equal(t, uint64(2), version(t, c, "acme"))
	})
}

func TestAfterAChangeOfUnknownOutcomeTheNextGetAsksAndAKnownTenantStaysKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}
		c := newCache(t, unwatched{s})
		held, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		s.script(func() { s.err = errDown })
		_, err = c.Update(t.Context(), held) // it was done, but that is not known
		require.ErrorIs(t, err, errDown)
		require.Equal(t, uint64(1), version(t, c, "acme"))
		time.Sleep(time.Minute)
		s.script(func() { s.err = nil })
		require.Equal(t, uint64(2), version(t, c, "acme"))
	})
}

func TestWhatIsRefusedAsInvalidLeavesTheCacheAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}
		c := newCache(t, unwatched{s})
		held, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		for want, change := range map[error]func(*tenant.Config){
			tenant.ErrInvalid:   func(c *tenant.Config) { c.Write = 99 },
			tenant.ErrImmutable: func(c *tenant.Config) { c.Replicas = 5 },
		} {
			next := held
			change(&next)
			_, err = c.Update(t.Context(), next)
			require.ErrorIs(t, err, want)
			got, ok := c.AtHand("acme")
			require.True(t, ok)
			require.Equal(t, held, got)
		}
	})
}

// A load reads "not found"; the tenant is created through the cache; the load ends.
func TestALoadThatAnOwnCreateOvertookIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t)}
		c := newCache(t, unwatched{s})
		reads := make(chan struct{})
		s.script(func() { s.reads = reads })
		go func() { _, _ = c.Get(t.Context(), "acme") }()
		synctest.Wait()
		_, err := c.Create(t.Context(), tenant.Config{ID: "acme"})
		require.NoError(t, err)
		close(reads)
		synctest.Wait()
		require.Equal(t, uint64(1), version(t, c, "acme"))
	})
}

// A load reads the tenant; it is deleted through the cache; the load ends, and nothing remembers the delete.
func TestALoadThatAnOwnDeleteOvertookIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}
		c := newCache(t, unwatched{s}, tenant.UnknownTTL(0))
		reads := make(chan struct{})
		s.script(func() { s.reads = reads })
		go func() { _, _ = c.Get(t.Context(), "acme") }()
		synctest.Wait()
		require.NoError(t, c.Delete(t.Context(), "acme", 1))
		close(reads)
		synctest.Wait()
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
	})
}

func TestThatThereWasNoSuchTenantIsForgottenWhenItIsCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, unwatched{newMemory(t, tenant.Config{ID: "other"})}, tenant.CacheSize(1))
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
		_, err = c.Create(t.Context(), tenant.Config{ID: "acme"})
		require.NoError(t, err)
		version(t, c, "other") // pushes it out
		version(t, c, "acme")
	})
}

// A tenant is created in the store; a load that began before ends with "not found"; Create returns.
func TestACreateThatNotFoundOvertookHasTheNextGetAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t)}
		c := newCache(t, unwatched{s})
		reads, late := make(chan struct{}), make(chan struct{})
		s.script(func() { s.reads, s.late = reads, late })
		go func() { _, _ = c.Get(t.Context(), "acme") }()
		synctest.Wait()
		go func() { _, _ = c.Create(t.Context(), tenant.Config{ID: "acme"}) }()
		synctest.Wait()
		close(reads)
		synctest.Wait() // the load has ended with "not found"
		close(late)
		synctest.Wait() // Create has returned
		require.Equal(t, uint64(1), version(t, c, "acme"))
	})
}

// Create is done in the store; the tenant is deleted through the cache; Create returns.
func TestACreateThatADeleteOvertookDoesNotBringTheTenantBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t)}
		c := newCache(t, unwatched{s})
		late := make(chan struct{})
		s.script(func() { s.late = late })
		go func() { _, _ = c.Create(t.Context(), tenant.Config{ID: "acme"}) }()
		synctest.Wait()
		require.NoError(t, c.Delete(t.Context(), "acme", 1))
		close(late)
		synctest.Wait()
		_, err := c.Get(t.Context(), "acme")
		require.ErrorIs(t, err, tenant.ErrNotFound)
	})
}

// An update is done in the store, then a second one; the second one returns, then the first.
func TestAnUpdateThatALaterOneOvertookIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}
		c := newCache(t, unwatched{s})
		held, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		late := make(chan struct{})
		s.script(func() { s.late = late })
		go func() { _, _ = c.Update(t.Context(), held) }()
		synctest.Wait()
		s.script(func() { s.late = nil })
		held.Version = 2
		_, err = c.Update(t.Context(), held)
		require.NoError(t, err)
		close(late)
		synctest.Wait()
		got, ok := c.AtHand("acme")
		require.True(t, ok)
		require.Equal(t, uint64(3), got.Version)
	})
}

// An update is done in the store; another process makes a later one, which is told; the
// update returns.
func TestAnUpdateThatAToldChangeOvertookIsRefreshedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scriptedStore{Memory: newMemory(t, tenant.Config{ID: "acme"})}
		c := newCache(t, s)
		held, err := c.Get(t.Context(), "acme")
		require.NoError(t, err)
		synctest.Wait() // it is watched
		late, reads := make(chan struct{}), make(chan struct{})
		s.script(func() { s.late = late })
		go func() { _, _ = c.Update(t.Context(), held) }()
		synctest.Wait()
		s.script(func() { s.reads, s.err = reads, errDown }) // the reload that is told of fails
		held.Version = 2
		_, err = s.Memory.Update(t.Context(), held)
		require.NoError(t, err)
		synctest.Wait()
		close(reads)
		synctest.Wait()
		s.script(func() { s.reads, s.err = nil, nil })
		close(late)
		synctest.Wait()
		require.Equal(t, uint64(3), version(t, c, "acme"))
	})
}
