package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
	idempotencyredis "github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/tenant"
	tenantpostgres "github.com/devrev/pairdb/tenant/postgres"
	topologypostgres "github.com/devrev/pairdb/topology/postgres"
)

// backends is what a process has to know to use the cluster.
type backends struct {
	Cluster  string
	Postgres string // a connection string
	Schema   string // of the tables
	Redis    string // host:port
}

// An app is what a service opens: connections to the backends, and a client on them.
type app struct {
	pool     *pgxpool.Pool
	redis    *goredis.Client
	topology *topologypostgres.Store
	store    *tenantpostgres.Store
	tenants  *tenant.Cache
	client   *pairdb.Client
}

// connect prepares the backends. It asks them nothing: an app can be made while they are down.
func connect(ctx context.Context, b backends, ttl time.Duration) (*app, error) {
	config, err := pgxpool.ParseConfig(b.Postgres)
	if err != nil {
		return nil, err
	}
	config.MaxConns = 4 // tenants come from a cache: a few are plenty
	config.ConnConfig.RuntimeParams["application_name"] = b.Cluster
	a := &app{}
	if a.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	// Deadlines are kept, and attempts are few: a server that is down is an error with its cause
	// after some 0.2 s.
	a.redis = goredis.NewClient(&goredis.Options{
		Addr: b.Redis, ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 2,
	})
	if a.topology, err = topologypostgres.New(a.pool, b.Cluster, topologypostgres.Schema(b.Schema)); err != nil {
		return a, err
	}
	if a.store, err = tenantpostgres.New(a.pool, tenantpostgres.Schema(b.Schema)); err != nil {
		return a, err
	}
	// A client puts a cache before the store by itself. This one has another time to live.
	a.tenants, err = tenant.NewCache(a.store, tenant.CacheTTL(ttl))
	return a, err
}

// An openOption changes how an app opens its client.
type openOption struct {
	hooks  []pairdb.Hook
	wrap   func(idempotency.Store) idempotency.Store
	option []pairdb.IdempotencyOption
}

// open makes the client and waits until it reaches enough nodes.
func (a *app) open(ctx context.Context, b backends, o openOption) error {
	records, err := idempotencyredis.New(a.redis)
	if err != nil {
		return err
	}
	var once idempotency.Store = records
	if o.wrap != nil {
		once = o.wrap(once)
	}
	a.client, err = pairdb.Open(ctx, a.topology,
		pairdb.WithTenants(a.tenants),
		pairdb.WithIdempotency(once, append(o.option,
			pairdb.IdempotencyTTL(time.Hour), pairdb.IdempotencyTimeout(patience))...),
		pairdb.WithHooks(o.hooks...),
		pairdb.WithTimeout(patience),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.client.Ready(ctx)
}

// close ends what was opened, the client first. A nil app is closed.
func (a *app) close() {
	if a == nil {
		return
	}
	if a.client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = a.client.Close(ctx) // the nodes go next: an unfinished tail does not matter
	}
	if a.tenants != nil {
		_ = a.tenants.Close()
	}
	if a.redis != nil {
		_ = a.redis.Close()
	}
	if a.pool != nil {
		a.pool.Close()
	}
}

// openApp connects and opens.
func openApp(ctx context.Context, b backends, ttl time.Duration, o openOption) (*app, error) {
	a, err := connect(ctx, b, ttl)
	if err == nil {
		err = a.open(ctx, b, o)
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}
