package main

import (
	"context"
	"errors"

	"github.com/devrev/pairdb"
)

// holdings is what each tenant has in the end.
func (s *stage) holdings(ctx context.Context) error {
	s.out.step("What each tenant holds")
	c := s.app.client
	for _, p := range []payment{first, second} {
		obj, err := c.Tenant(payments).Get(ctx, p.order)
		if err != nil && !errors.Is(err, pairdb.ErrNotFound) {
			return err
		}
		writes, nodes := s.audit.effects(payments, p.order)
		s.out.labelled("payments/"+p.order, "%s; %d write, on %d nodes", obj.Value, writes, nodes)
		s.out.expect(string(obj.Value) == p.amount && writes == 1, "%s, by one write", p.amount)
	}
	obj, err := tallies(c).Get(ctx, counterKey)
	if err != nil {
		return err
	}
	s.out.labelled("payments/"+counterKey, "%d", obj.Value.total())
	s.out.expect(obj.Value.total() == things, "%d", things)
	for _, id := range []string{payments, sessions} {
		same, err := s.load.verify(ctx, c, id)
		if err != nil {
			return err
		}
		s.out.labelled(id, "%d of %d keys of the load read back as written last", same, loaders)
		s.out.expect(same == loaders, "all of them")
	}
	return s.ends(ctx)
}

// ends lets the other process go and says what both have counted.
func (s *stage) ends(ctx context.Context) error {
	did, err := s.follower.finish(ctx)
	if err != nil {
		return err
	}
	s.out.labelled("process "+itoa(s.follower.pid()), "%s requests throughout, %d failed", count(did.Calls), did.Failed)
	s.out.expect(did.Failed == 0, "no failed request; the last one: %s", did.Err)
	stats := s.app.client.Stats()
	s.out.labelled("this process's Stats", "Duplicates %d, Replays %d, Unfinished %d, Unprotected %d, TenantsStale %d",
		stats.Duplicates, stats.Replays, stats.Unfinished, stats.Unprotected, stats.TenantsStale)
	return nil
}
