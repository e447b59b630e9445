package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/quorum"
)

func itoa(n int) string { return strconv.Itoa(n) }

// databaseDown stops PostgreSQL under load of both tenants.
func (s *stage) databaseDown(ctx context.Context) error {
	s.out.step("PostgreSQL is stopped under load of both tenants")
	s.load = startLoad(ctx, s.app.client)
	defer s.load.stop()
	if err := sleep(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	if s.postgres == nil {
		s.out.line("left out: the server of %s is not ours to stop", postgresEnv)
	} else if err := s.withoutDatabase(ctx); err != nil {
		return err
	}
	s.load.stop()
	s.out.labelled("requests", "%s, %d failed", count(int(s.load.requests.Load())), s.load.failed.Load())
	s.out.expect(s.load.failed.Load() == 0, "no failed request; the first one: %v", s.load.err)
	return nil
}

func (s *stage) withoutDatabase(ctx context.Context) error {
	before := s.load.requests.Load()
	if err := s.postgres.Stop(); err != nil {
		return err
	}
	s.out.line("stopped after %s requests", count(int(before)))
	for _, id := range []string{payments, sessions} {
		if err := wait(ctx, func() (bool, error) { _, stale := s.events.staleOf(id); return stale, nil }); err != nil {
			return fmt.Errorf("no hook has told that tenant %s is stale: %w", id, err)
		}
		e, _ := s.events.staleOf(id)
		s.out.line("HookTenantStale: %s, served as it was %.1f s ago, as", id, e.Age.Seconds())
		s.out.wrapped(e.Err.Error())
	}
	s.out.line("a tenant that is not known yet:")
	_, err := s.app.client.Tenant("invoicing").Put(ctx, "k", []byte("v"))
	s.refusal(err, pairdb.ErrUnavailable, "ErrUnavailable")
	return sleep(ctx, 500*time.Millisecond)
}

// databaseBack starts PostgreSQL and changes a tenant, which the other process is told.
func (s *stage) databaseBack(ctx context.Context) error {
	s.out.step("PostgreSQL is back; a tenant is changed, and another process is told (NOTIFY)")
	began := time.Now()
	if s.postgres != nil {
		if err := s.postgres.Start(); err != nil {
			return err
		}
	}
	if err := wait(ctx, func() (bool, error) { return s.listening(ctx) == 2, ctx.Err() }); err != nil {
		return fmt.Errorf("the processes do not listen: %w", err)
	}
	s.out.labelled("both processes", "listen, %.1f s after the server was started", time.Since(began).Seconds())

	config, err := s.app.client.Tenants().Get(ctx, sessions)
	if err != nil {
		return err
	}
	config.Read = quorum.Two
	began = time.Now()
	changed, err := s.app.client.Tenants().Update(ctx, config)
	if err != nil {
		return err
	}
	s.out.labelled("changed", "%s reads at level %v, not %v; version %d", changed.ID, changed.Read, quorum.One, changed.Version)
	for level := ""; level != changed.Read.String(); {
		e, err := s.follower.await(ctx, "level")
		if err != nil {
			return err
		}
		level = e.Level
	}
	s.out.labelled("process "+itoa(s.follower.pid()), "reads at level %v, %d ms after the change was begun", changed.Read, time.Since(began).Milliseconds())
	return nil
}

// listening counts the connections of this run that wait for changes of tenants.
func (s *stage) listening(ctx context.Context) (n int) {
	const ask = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND query = 'LISTEN "pairdb_tenants"'`
	if s.app.pool.QueryRow(ctx, ask, s.Cluster).Scan(&n) != nil {
		return 0 // not yet
	}
	return n
}
