package main

import (
	"context"
	"time"

	"github.com/devrev/pairdb"
)

// redisDown stops Redis: what callers see by default, and with FailOpen.
func (s *stage) redisDown(ctx context.Context) error {
	s.out.step("Redis is stopped")
	if s.redis == nil {
		s.out.line("left out: the server of %s is not ours to stop", redisEnv)
		return nil
	}
	var seen events
	open, err := openApp(ctx, s.backends, time.Minute, openOption{
		hooks: []pairdb.Hook{&seen}, option: []pairdb.IdempotencyOption{pairdb.FailOpen()},
	})
	if err != nil {
		return err
	}
	defer open.close()
	if err := s.redis.Stop(); err != nil {
		return err
	}
	third := payment{order: "order/1003", amount: "5.00 EUR", token: "pay-02b7"}
	s.out.line("a write with a key, by default:")
	_, err = third.pay(ctx, s.app.client)
	s.refusal(err, pairdb.ErrUnavailable, "ErrUnavailable")
	writes, _ := s.audit.effects(payments, third.order)
	s.out.expect(writes == 0, "nothing was sent to a node")

	r, err := third.pay(ctx, open.client)
	if err != nil {
		return err
	}
	s.out.labelled("with FailOpen", "stored on %d of %d nodes; HookIdempotency: %s", r.Acked, r.Owners, seen.outcome())
	if _, err := s.app.client.Tenant(payments).Put(ctx, "note", []byte("no key")); err != nil {
		return err
	}
	s.out.labelled("without a key", "stored: such a write needs no Redis")

	if err := s.redis.Start(); err != nil {
		return err
	}
	s.events.outcome() // of before
	if err := wait(ctx, func() (bool, error) { r, err = first.pay(ctx, s.app.client); return err == nil, ctx.Err() }); err != nil {
		return err
	}
	s.out.labelled("Redis is back", "%s repeated once more: %s, as its record was on disk", first.order, s.events.outcome())
	s.out.expect(r.Duplicate, "a duplicate")
	return nil
}
