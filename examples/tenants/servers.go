package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"

	idempotencyredis "github.com/devrev/pairdb/idempotency/redis"
	"github.com/devrev/pairdb/internal/testservers"
)

// Servers that are there already, to be used instead of own ones.
const (
	postgresEnv = "PAIRDB_POSTGRES_URL"
	redisEnv    = "PAIRDB_REDIS_ADDR"
)

// A server can be stopped and started again. A nil one is somebody else's.
type server interface {
	Stop() error
	Start() error
	Close() error
}

// startServers finds or starts PostgreSQL and Redis.
func (s *stage) startServers(ctx context.Context) error {
	s.out.step("PostgreSQL keeps the topology and the tenants, Redis the idempotency records")
	var err error
	if s.dir, err = os.MkdirTemp("", "pairdb-tenants-"); err != nil {
		return fmt.Errorf("%w; set TMPDIR to a directory that can be written", err)
	}
	// The names are the run's own, so that two runs on the same servers never mix.
	name := filepath.Base(s.dir)
	s.backends = backends{Cluster: name, Schema: name}
	if err := s.startPostgres(ctx); err != nil {
		return err
	}
	return s.startRedis(ctx)
}

func (s *stage) startPostgres(ctx context.Context) error {
	if s.Postgres = os.Getenv(postgresEnv); s.Postgres != "" {
		if err := pingPostgres(ctx, s.Postgres); err != nil {
			return fmt.Errorf("%s: %w", postgresEnv, err)
		}
		s.out.labelled("PostgreSQL", "that of %s, schema %s", postgresEnv, s.Schema)
		return nil
	}
	own, err := testservers.StartPostgres(s.dir)
	if err != nil {
		return installed(err, postgresEnv)
	}
	s.postgres, s.Postgres = own, own.URL("postgres")
	s.out.labelled("PostgreSQL", "%s", s.Postgres)
	return ctx.Err()
}

func (s *stage) startRedis(ctx context.Context) error {
	if s.Redis = os.Getenv(redisEnv); s.Redis != "" {
		client := goredis.NewClient(&goredis.Options{Addr: s.Redis})
		defer client.Close() //nolint:errcheck // it was only a question
		if err := client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("%s: %w", redisEnv, err)
		}
		s.out.labelled("Redis", "%s, from %s", s.Redis, redisEnv)
		return nil
	}
	// Records are worth what the server keeps of them over a restart.
	own, err := testservers.StartRedis(s.dir, "--appendonly", "yes", "--appendfsync", "always")
	if err != nil {
		return installed(err, redisEnv)
	}
	s.redis, s.Redis = own, own.Addr()
	s.out.labelled("Redis", "%s, appendfsync always", s.Redis)
	return ctx.Err()
}

// installed says what can be done about a program that is missing.
func installed(err error, env string) error {
	if errors.Is(err, testservers.ErrMissing) {
		return fmt.Errorf("%w; or set %s to a server that runs already", err, env)
	}
	return err
}

func pingPostgres(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// cleanLimit bounds the removal of what was stored on servers of others.
const cleanLimit = 10 * time.Second

// clean removes what was stored on servers that go on; own ones are removed whole.
func (s *stage) clean() error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanLimit)
	defer cancel()
	var errs []error
	if s.postgres == nil && s.Postgres != "" {
		errs = append(errs, dropSchema(ctx, s.Postgres, s.Schema))
	}
	if s.redis == nil && s.Redis != "" {
		errs = append(errs, deleteRecords(ctx, s.Redis, idempotencyredis.DefaultPrefix+s.Cluster+":"))
	}
	return errors.Join(errs...)
}

func dropSchema(ctx context.Context, url, schema string) error {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = pool.Exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
	return err
}

func deleteRecords(ctx context.Context, addr, prefix string) error {
	client := goredis.NewClient(&goredis.Options{Addr: addr})
	defer client.Close() //nolint:errcheck // nothing is lost with it
	names := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
	for names.Next(ctx) {
		if err := client.Del(ctx, names.Val()).Err(); err != nil {
			return err
		}
	}
	return names.Err()
}
