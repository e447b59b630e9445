//pairdb:needs postgres

package pairdb_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/pairdbtest"
	"github.com/devrev/pairdb/tenant"
	tenantpg "github.com/devrev/pairdb/tenant/postgres"
	topologypg "github.com/devrev/pairdb/topology/postgres"
)

// patience bounds what a correct client does at once, or as soon as a backend is back.
const patience = 30 * time.Second

// backends are a cluster of three whose tenants and topology are in a database.
type backends struct {
	t       *testing.T
	cluster *pairdbtest.Cluster
	url     string

	// An operator's own way to the database, by which caches are not told of changed tenants.
	pool     *pgxpool.Pool
	tenants  *tenantpg.Store
	topology *topologypg.Store
}

func newBackends(t *testing.T, url string) *backends {
	t.Helper()
	b := &backends{t: t, cluster: pairdbtest.New(t, 3), url: url}
	b.pool = newPool(t, url)
	var err error
	b.tenants, err = tenantpg.New(b.pool, tenantpg.WithoutNotify())
	require.NoError(t, err)
	require.NoError(t, b.tenants.Migrate(t.Context()))
	b.topology, err = topologypg.New(b.pool, pairdbtest.ClusterName)
	require.NoError(t, err)
	require.NoError(t, b.topology.Migrate(t.Context()))
	require.NoError(t, b.topology.Create(t.Context(), b.cluster.Topology()))
	return b
}

func newPool(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), url)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// create adds tenants of three replicas to the database.
func (b *backends) create(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		_, err := b.tenants.Create(b.t.Context(), tenant.Config{ID: id})
		require.NoError(b.t, err)
	}
}

// limit changes a tenant's greatest value, without a word to the caches.
func (b *backends) limit(id string, bytes int) {
	b.t.Helper()
	limitTo(b.t, b.tenants, id, bytes)
}

func limitTo(t *testing.T, s tenant.Store, id string, bytes int) {
	t.Helper()
	c, err := s.Get(t.Context(), id)
	require.NoError(t, err)
	c.Limits.MaxValueBytes = bytes
	_, err = s.Update(t.Context(), c)
	require.NoError(t, err)
}

// sql is what somebody types at a prompt.
func (b *backends) sql(text string) {
	b.t.Helper()
	_, err := b.pool.Exec(b.t.Context(), text)
	require.NoError(b.t, err)
}

// listening waits until as many connections listen on the channel, and returns them.
func (b *backends) listening(channel string, want int) (pids []int32) {
	b.t.Helper()
	eventually(b.t, "listeners on "+channel, func() bool {
		rows, err := b.pool.Query(b.t.Context(), `SELECT pid FROM pg_stat_activity
			WHERE datname = current_database() AND query = 'LISTEN "' || $1::text || '"'`, channel)
		if err != nil {
			return false // the server is coming up
		}
		pids, err = pgx.CollectRows(rows, pgx.RowTo[int32])
		return err == nil && len(pids) == want
	})
	return pids
}

// The channels on which clients are told of changes.
const (
	tenantsChannel  = "pairdb_tenants"
	topologyChannel = "pairdb_topology"
)

// A process is what one has to itself: a pool, the stores on it, and a client.
type process struct {
	pool   *pgxpool.Pool
	cache  *tenant.Cache // nil if the client made its own
	client *pairdb.Client
	heard  *heard
}

// setting is how a process differs from the usual one.
type setting struct {
	ttl     time.Duration // of a cache that the process makes; 0: the client makes one
	tenants []tenantpg.Option
	more    []pairdb.Option
}

func (b *backends) process(s setting) *process {
	b.t.Helper()
	p := &process{pool: newPool(b.t, b.url), heard: newHeard()}
	source, err := topologypg.New(p.pool, pairdbtest.ClusterName)
	require.NoError(b.t, err)
	store, err := tenantpg.New(p.pool, s.tenants...)
	require.NoError(b.t, err)
	var reader tenant.Reader = store
	if s.ttl > 0 {
		p.cache, err = tenant.NewCache(store, tenant.CacheTTL(s.ttl))
		require.NoError(b.t, err)
		b.t.Cleanup(func() { _ = p.cache.Close() })
		reader = p.cache
	}
	p.client, err = pairdb.Open(b.t.Context(), source, append([]pairdb.Option{
		pairdb.WithDialer(b.cluster.Dial), pairdb.WithTenants(reader), pairdb.WithHooks(p.heard),
	}, s.more...)...)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { closeSoon(p.client) })
	ready, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	require.NoError(b.t, p.client.Ready(ready))
	return p
}

func closeSoon(c *pairdb.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx) // what it cuts is no test's matter
}

// takes reports whether the client lets a value of that size through.
func (p *process) takes(t *testing.T, id string, bytes int) bool {
	t.Helper()
	_, err := p.client.Tenant(id).Put(t.Context(), "probe", make([]byte, bytes))
	if err != nil {
		require.ErrorIs(t, err, pairdb.ErrInvalid)
	}
	return err == nil
}

// heard is a hook that keeps what backends give cause to.
type heard struct {
	mu             sync.Mutex
	stale          map[string]error // guarded by mu, as all below; per tenant, the last cause
	topologyErrors int
	once           []pairdb.Idempotency
}

func newHeard() *heard { return &heard{stale: map[string]error{}} }

func (h *heard) OnTenantStale(e pairdb.TenantStale) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stale[e.Tenant] = e.Err
}

func (h *heard) OnTopology(e pairdb.TopologyChange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Err != nil {
		h.topologyErrors++
	}
}

func (h *heard) OnIdempotency(e pairdb.Idempotency) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.once = append(h.once, e)
}

// forget empties it.
func (h *heard) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.stale)
	h.topologyErrors, h.once = 0, nil
}

// staleOf reports whether it was told of all these tenants.
func (h *heard) staleOf(ids []string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range ids {
		if _, told := h.stale[id]; !told {
			return false
		}
	}
	return true
}

// staleCause is why a tenant was served past its TTL, if it was.
func (h *heard) staleCause(id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stale[id]
}

func (h *heard) topologyFailures() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.topologyErrors
}

// onceEvents are the events of a token.
func (h *heard) onceEvents(token string) (all []pairdb.IdempotencyEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.once {
		if e.Token == token {
			all = append(all, e.What)
		}
	}
	return all
}

func tenantIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("tenant-%d", i)
	}
	return ids
}

// eventually waits for what a correct client does by itself.
func eventually(t *testing.T, what string, holds func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	require.Eventually(t, holds, patience, 2*time.Millisecond, what)
	return time.Since(began)
}
