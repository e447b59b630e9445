//pairdb:needs postgres

package pairdb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/internal/testservers"
	"github.com/devrev/pairdb/tenant"
	"github.com/devrev/pairdb/topology"
)

const (
	// staleTTL is so short that an outage is many times as long.
	staleTTL = 300 * time.Millisecond
	// outage is how long PostgreSQL is away, once all tenants are known to have been served past their TTL.
	outage = 2 * time.Second
)

func TestNoRequestOfAKnownTenantFailsWhilePostgreSQLIsAway(t *testing.T) {
	if testing.Short() {
		t.Skip("takes many seconds")
	}
	server := testservers.NewPostgres(t)
	url, err := server.CreateDatabase(t.Context())
	require.NoError(t, err)
	b := newBackends(t, url)
	known := tenantIDs(20)
	b.create(known...)
	processes := []*process{b.process(setting{ttl: staleTTL}), b.process(setting{ttl: staleTTL})}
	l := startLoad(t, processes, known)
	for i, away := range []struct {
		how        string
		begin, end func() error
		silent     bool // nothing breaks, so that a waiting Watch learns nothing
	}{
		{"stopped", server.Stop, server.Start, false},
		{"killed", server.Kill, server.Start, false},
		{"frozen", server.Freeze, server.Thaw, true},
	} {
		b.listening(tenantsChannel, len(processes))
		b.listening(topologyChannel, len(processes))
		for _, p := range processes {
			p.heard.forget()
		}
		before, stale := l.done.Load(), staleServed(processes)
		began := time.Now()
		require.NoError(t, away.begin())
		for _, p := range processes {
			eventually(t, "all tenants served past their TTL", func() bool { return p.heard.staleOf(known) })
			t.Logf("%s: HookTenantStale: %v", away.how, p.heard.staleCause(known[0]))
		}
		newcomer := fmt.Sprintf("newcomer-%d", i)
		refusesNewcomer(t, away.how, processes[i%2], newcomer)
		<-time.After(time.Until(began.Add(outage)))
		t.Logf("%s for %v: %d requests answered meanwhile, %d failed in all; %d served past their TTL",
			away.how, time.Since(began).Round(time.Millisecond), l.done.Load()-before, l.failed.Load(), staleServed(processes)-stale)
		for _, p := range processes {
			if !away.silent {
				require.Positive(t, p.heard.topologyFailures())
			}
		}
		require.NoError(t, away.end())
		catchesUp(t, b, processes, away.how, known[0], newcomer, 1000-i)
	}
	l.stop()
	require.Zero(t, l.failed.Load(), "the first: %v", l.first)
	for i, p := range processes {
		stats, cached := p.client.Stats(), p.cache.Stats()
		require.Zero(t, stats.Unknown)
		require.Positive(t, stats.TenantsStale)
		t.Logf("process %d: %d gets, %d puts, 0 of them failed; Stats.TenantsStale %d, topology errors %d; cache %+v",
			i+1, stats.Gets, stats.Puts, stats.TenantsStale, stats.TopologyErrors, cached)
	}
}

func staleServed(processes []*process) (n uint64) {
	for _, p := range processes {
		n += p.cache.Stats().Stale
	}
	return n
}

// refusesNewcomer shows what a tenant gets that nobody has met before the database went away.
func refusesNewcomer(t *testing.T, how string, p *process, id string) {
	t.Helper()
	const deadline = 500 * time.Millisecond
	shop := p.client.Tenant(id)
	for name, call := range map[string]func(context.Context) error{
		"put": func(ctx context.Context) error { _, err := shop.Put(ctx, "k", []byte("v")); return err },
		"get": func(ctx context.Context) error { _, err := shop.Get(ctx, "k"); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		began := time.Now()
		err := call(ctx)
		took := time.Since(began)
		cancel()
		require.Less(t, took, 10*deadline, "the deadline holds")
		require.ErrorIs(t, err, pairdb.ErrUnavailable)
		require.NotErrorIs(t, err, pairdb.ErrUnknownTenant)
		require.True(t, pairdb.Retryable(err))
		if name == "put" {
			requireOneOutcome(t, err, pairdb.ErrNotApplied)
		} else {
			requireNoOutcome(t, err)
		}
		t.Logf("%s: a new tenant, after %v: %v", how, took.Round(time.Millisecond), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	_, err := p.client.Tenants().Create(ctx, tenant.Config{ID: id})
	require.Error(t, err)
	t.Logf("%s: creating a tenant: %v", how, err)
}

// catchesUp shows that what is changed as soon as the database is back is seen: of a tenant, though nobody
// tells of it.
func catchesUp(t *testing.T, b *backends, processes []*process, how, id, newcomer string, limit int) {
	t.Helper()
	eventually(t, "the database is back", func() bool { return b.pool.Ping(t.Context()) == nil })
	back := time.Now()
	b.limit(id, limit)
	if _, err := b.tenants.Create(t.Context(), tenant.Config{ID: newcomer}); err != nil {
		// What was given up while the server was frozen may have been done all the same.
		require.ErrorIs(t, err, tenant.ErrExists)
	}
	var epoch uint64
	eventually(t, "a change of the topology", func() bool {
		next, err := b.topology.Current(t.Context())
		require.NoError(t, err)
		next.Nodes[0].State ^= topology.Draining
		next.Epoch++
		epoch = next.Epoch
		return b.topology.Update(t.Context(), *next) == nil // else a client has recorded a store meanwhile
	})
	for _, p := range processes {
		eventually(t, "the changed tenant", func() bool { return !p.takes(t, id, limit+1) })
		changed := time.Since(back)
		eventually(t, "the tenant that was created", func() bool {
			_, err := p.client.Tenant(newcomer).Put(t.Context(), "k", []byte("v"))
			return err == nil
		})
		created := time.Since(back)
		eventually(t, "the topology", func() bool { return p.client.Topology().Epoch >= epoch })
		t.Logf("%s: %v after the database was back a changed tenant was seen, %v a created one, %v the topology", how,
			changed.Round(time.Millisecond), created.Round(time.Millisecond), time.Since(back).Round(time.Millisecond))
	}
}

// load is 16 callers of two processes, each with a key of its own in every tenant.
type load struct {
	done, failed atomic.Int64
	first        error // what failed first
	stop         func()
}

func startLoad(t *testing.T, processes []*process, ids []string) *load {
	t.Helper()
	const callers = 16
	l := &load{}
	ctx, cancel := context.WithCancel(context.Background())
	var once sync.Once
	var all sync.WaitGroup
	for c := range callers {
		last := make([]string, len(ids))
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				i := rand.IntN(len(ids)) //nolint:gosec // any will do
				of := processes[(c+n)%len(processes)].client.Tenant(ids[i])
				if err := l.request(of, fmt.Sprintf("caller-%d", c), &last[i], n); err != nil {
					once.Do(func() { l.first = err })
					l.failed.Add(1)
				}
				l.done.Add(1)
			}
		})
	}
	l.stop = func() {
		cancel()
		all.Wait()
	}
	t.Cleanup(l.stop)
	// Known is a tenant that a process has met.
	for _, p := range processes {
		for _, id := range ids {
			_, err := p.client.Tenant(id).Put(t.Context(), "k", []byte("v"))
			require.NoError(t, err)
		}
	}
	return l
}

// request reads what the caller wrote last, or writes.
func (l *load) request(of *pairdb.Tenant, key string, last *string, n int) error {
	if *last != "" && n%2 == 0 {
		obj, err := of.Get(context.Background(), key)
		if err == nil && string(obj.Value) != *last {
			err = fmt.Errorf("%q was written, %q read", *last, obj.Value)
		}
		return err
	}
	value := fmt.Sprint("value ", n)
	_, err := of.Put(context.Background(), key, []byte(value))
	if err == nil {
		*last = value
	}
	return err
}
