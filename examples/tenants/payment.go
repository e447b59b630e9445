package main

import (
	"context"
	"errors"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/idempotency"
)

// A payment is what a service is asked to book: the token came with the request, and comes
// again with each repetition of it.
type payment struct{ order, amount, token string }

// pay books a payment. Whoever repeats it, and however often, it has one effect.
func (p payment) pay(ctx context.Context, c *pairdb.Client) (pairdb.Receipt, error) {
	return c.Tenant(payments).Put(ctx, p.order, []byte(p.amount), pairdb.WithIdempotencyKey(p.token))
}

// Where a worker stops to be killed.
const (
	atIntent  = "recorded" // its intent is recorded, nothing was sent
	atWritten = "written"  // all is written, but that is not recorded
	nowhere   = "nowhere"
)

// payWorker books one payment.
func payWorker(ctx context.Context, b backends, out *say, stop string, p payment) error {
	var seen events
	a, err := openApp(ctx, b, time.Minute, openOption{
		hooks: []pairdb.Hook{&seen},
		wrap:  func(s idempotency.Store) idempotency.Store { return stopping{s, stop, out} },
	})
	if err != nil {
		return err
	}
	defer a.close()
	r, err := p.pay(ctx, a.client)
	if err != nil {
		return err
	}
	out.event(event{
		What: "done", Dot: r.Dot.String(), Duplicate: r.Duplicate, Outcome: seen.outcome(), Acked: r.Acked, Owners: r.Owners,
	})
	return nil
}

// stopping is a store at which a process stops for ever, to be killed there.
type stopping struct {
	idempotency.Store
	at  string
	out *say
}

// Begin implements idempotency.Store.
func (s stopping) Begin(ctx context.Context, key idempotency.Key, i idempotency.Intent, ttl time.Duration) (idempotency.Record, bool, error) {
	rec, mine, err := s.Store.Begin(ctx, key, i, ttl)
	if s.at == atIntent && err == nil {
		s.stop(rec.Intent)
	}
	return rec, mine, err
}

// Complete implements idempotency.Store.
func (s stopping) Complete(ctx context.Context, key idempotency.Key, i idempotency.Intent, r idempotency.Result, ttl time.Duration) error {
	if s.at == atWritten {
		s.stop(i)
	}
	return s.Store.Complete(ctx, key, i, r, ttl)
}

func (s stopping) stop(i idempotency.Intent) {
	s.out.event(event{What: s.at, Dot: i.Dot().String()})
	select {}
}

// The payments that are booked.
var (
	first  = payment{order: "order/1001", amount: "19.90 EUR", token: "pay-7f3a"}
	second = payment{order: "order/1002", amount: "250.00 EUR", token: "pay-c81e"}
)

// payments shows that a payment whose process was killed takes effect once.
func (s *stage) payments(ctx context.Context) error {
	s.out.step("A payment under an idempotency key: its process is killed half way, another one repeats it")
	if err := s.killed(ctx, atIntent, first); err != nil {
		return err
	}
	if err := s.killed(ctx, atWritten, second); err != nil {
		return err
	}
	r, err := second.pay(ctx, s.app.client)
	if err != nil {
		return err
	}
	s.out.labelled("repeated again", "by this process: %s, nothing was sent", s.events.outcome())
	s.out.expect(r.Duplicate, "a duplicate")
	s.out.labelled("the same key", "with another amount, 99.00 EUR:")
	other := second
	other.amount = "99.00 EUR"
	_, err = other.pay(ctx, s.app.client)
	s.refusal(err, pairdb.ErrIdempotencyConflict, "ErrIdempotencyConflict")
	return nil
}

// killed kills a process in the middle of a payment and has another one repeat it.
func (s *stage) killed(ctx context.Context, at string, p payment) error {
	victim, err := s.startWorker(ctx, "pay", at, p.order, p.amount, p.token)
	if err != nil {
		return err
	}
	defer victim.kill()
	began, err := victim.await(ctx, at)
	if err != nil {
		return err
	}
	victim.kill()
	writes, nodes := s.audit.effects(payments, p.order)
	when := map[string]string{atIntent: "its intent was recorded", atWritten: "the write, before that was recorded"}[at]
	s.out.line("%s, %s, key %s", p.order, p.amount, p.token)
	s.out.labelled("  process "+itoa(victim.pid()), "killed after %s; writes on nodes: %d", when, writes)
	s.out.expect((at == atIntent) == (nodes == 0), "no write on a node before the intent is recorded, and one after")

	again, err := s.startWorker(ctx, "pay", nowhere, p.order, p.amount, p.token)
	if err != nil {
		return err
	}
	defer again.kill()
	done, err := again.await(ctx, "done")
	if err != nil {
		return err
	}
	writes, _ = s.audit.effects(payments, p.order)
	s.out.labelled("  process "+itoa(again.pid()), "repeats it: %s, duplicate=%t, on %d of %d nodes; writes in all: %d",
		done.Outcome, done.Duplicate, done.Acked, done.Owners, writes)
	s.out.labelled("  the write", "%s, in both processes", done.Dot)
	s.out.expect(writes == 1 && done.Duplicate && done.Dot == began.Dot, "one write, that of the first process, %s", began.Dot)
	return nil
}

// refusal shows an error as a caller reads it.
func (s *stage) refusal(err, want error, name string) {
	if err == nil {
		s.out.expect(false, "an error")
		return
	}
	s.out.wrapped(err.Error())
	s.out.line("  %s: %t, ErrNotApplied: %t, Retryable: %t", name,
		errors.Is(err, want), errors.Is(err, pairdb.ErrNotApplied), pairdb.Retryable(err))
	s.out.expect(errors.Is(err, want) && errors.Is(err, pairdb.ErrNotApplied), "%s and ErrNotApplied", name)
}
