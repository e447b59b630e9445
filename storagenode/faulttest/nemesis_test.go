//go:build unix

package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// A nemesis makes faults, one phase after another. One goroutine uses it.
type nemesis struct {
	c       *cluster
	rand    *rand.Rand
	strikes []strike

	sparesClients bool // else it replaces clients too
}

// A strike is a kind of fault. do strikes at a node and returns what heals it.
type strike struct {
	weight int
	do     func(n *nemesis, ctx context.Context, victim int) (heal func() error, err error)
}

// everything is what the nemesis of the long test chooses from.
var everything = []strike{
	{6, (*nemesis).kill},
	{2, (*nemesis).killFrozen},
	{4, (*nemesis).freeze},
	{3, (*nemesis).stop},
	{9, (*nemesis).cutLinks},
	{2, (*nemesis).slowLinks},
}

func newNemesis(c *cluster, seed uint64, strikes []strike) *nemesis {
	return &nemesis{c: c, rand: rand.New(rand.NewPCG(seed, 1<<32)), strikes: strikes} //nolint:gosec // a schedule, not a secret
}

// run goes on until ctx ends, and heals what it did. An error is a node that did not start, or did not
// stop, or ended by itself: no fault of ours.
func (n *nemesis) run(ctx context.Context) error {
	for n.pause(ctx, 50, 400) {
		victims := n.rand.Perm(len(n.c.nodes))[:1]
		if n.rand.IntN(7) == 0 {
			// More than the promises assume: calls may fail, and nothing may be lost.
			victims = n.rand.Perm(len(n.c.nodes))[:2]
			n.c.events.add("two nodes at once", "")
		}
		if err := n.phase(ctx, victims); err != nil {
			return err
		}
	}
	return nil
}

func (n *nemesis) phase(ctx context.Context, victims []int) error {
	for _, p := range n.c.nodes {
		if err := p.died(); err != nil {
			return err
		}
	}
	var heals []func() error
	var failed error
	for _, v := range victims {
		heal, err := n.choose().do(n, ctx, v)
		if err != nil {
			failed = err
			break
		}
		heals = append(heals, heal)
		if len(victims) > 1 {
			n.pause(ctx, 0, 200)
		}
	}
	if failed == nil {
		n.wait(ctx, len(victims))
	}
	for _, heal := range heals {
		if err := heal(); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// wait lets a fault last, and now and then replaces a client meanwhile.
func (n *nemesis) wait(ctx context.Context, victims int) {
	most := 1500
	if victims > 1 {
		most = 700
	}
	if !n.sparesClients && n.rand.IntN(4) == 0 {
		n.pause(ctx, 50, most/2)
		n.replaceCoordinator(ctx)
	}
	n.pause(ctx, 50, most)
}

func (n *nemesis) choose() strike {
	total := 0
	for _, s := range n.strikes {
		total += s.weight
	}
	at := n.rand.IntN(total)
	for _, s := range n.strikes {
		if at -= s.weight; at < 0 {
			return s
		}
	}
	panic("weights do not add up")
}

// pause waits for a random number of milliseconds and reports whether ctx is still alive.
func (n *nemesis) pause(ctx context.Context, least, most int) bool {
	timer := time.NewTimer(time.Duration(least+n.rand.IntN(most-least+1)) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// restart returns what starts a node again.
func (n *nemesis) restart(p *process) func() error {
	return func() error {
		// A test that is over heals all the same.
		err := p.start(context.Background())
		if err == nil {
			n.c.events.add("node start", "%s at %s", p.id, p.addr())
		}
		return err
	}
}

func (n *nemesis) kill(_ context.Context, victim int) (func() error, error) {
	p := n.c.nodes[victim]
	n.c.events.add("SIGKILL", "%s", p.id)
	p.kill()
	return n.restart(p), nil
}

func (n *nemesis) killFrozen(ctx context.Context, victim int) (func() error, error) {
	p := n.c.nodes[victim]
	n.c.events.add("SIGSTOP", "%s", p.id)
	if err := p.freeze(); err != nil {
		return nil, err
	}
	n.pause(ctx, 20, 800)
	n.c.events.add("SIGKILL", "%s, stopped", p.id)
	p.kill()
	return n.restart(p), nil
}

func (n *nemesis) freeze(_ context.Context, victim int) (func() error, error) {
	p := n.c.nodes[victim]
	n.c.events.add("SIGSTOP", "%s", p.id)
	return func() error {
		n.c.events.add("SIGCONT", "%s", p.id)
		return p.thaw()
	}, p.freeze()
}

func (n *nemesis) stop(_ context.Context, victim int) (func() error, error) {
	p := n.c.nodes[victim]
	n.c.events.add("SIGTERM", "%s", p.id)
	return n.restart(p), p.stop()
}

// cutLinks cuts one client, or all, off a node.
func (n *nemesis) cutLinks(_ context.Context, victim int) (func() error, error) {
	how := n.chooseCut()
	return n.setLinks("cut", victim, how)
}

func (n *nemesis) chooseCut() cut {
	ways := [...]cut{
		{refuse: true},
		{requests: held}, {answers: held}, {requests: held, answers: held},
		{requests: lost}, {answers: lost}, {requests: lost, answers: lost},
		{answers: lost, breakAfter: 1 + n.rand.IntN(20)}, // after the request was sent
		{answers: held, breakAfter: 1 + n.rand.IntN(20)},
	}
	return ways[n.rand.IntN(len(ways))]
}

func (n *nemesis) slowLinks(_ context.Context, victim int) (func() error, error) {
	return n.setLinks("slow link", victim, cut{delay: time.Duration(1+n.rand.IntN(200)) * time.Millisecond})
}

func (n *nemesis) setLinks(kind string, victim int, how cut) (func() error, error) {
	coords := n.c.coords
	if n.rand.IntN(2) == 0 {
		one := n.rand.IntN(len(coords))
		coords = coords[one : one+1]
	}
	node := n.c.nodes[victim].id
	for _, co := range coords {
		n.c.events.add(kind, "%s to %s: %v", co.name, node, how)
		co.links[victim].set(how)
	}
	return func() error {
		for _, co := range coords {
			n.c.events.add("link healed", "%s to %s", co.name, node)
			co.links[victim].set(cut{})
		}
		return nil
	}, nil
}

// replaceCoordinator closes a client, sometimes with calls under way, and opens another in its place.
func (n *nemesis) replaceCoordinator(ctx context.Context) {
	co := n.c.coords[n.rand.IntN(len(n.c.coords))]
	within := time.Duration(n.rand.IntN(100)) * time.Millisecond
	err := co.close(within)
	n.c.events.add("client replaced", "%s, given %v: %v", co.name, within, err)
	if err := co.open(context.WithoutCancel(ctx)); err != nil {
		n.c.t.Errorf("open %s: %v", co.name, err)
	}
}

func (p passage) String() string { return [...]string{"open", "held", "lost"}[p] }

func (c cut) String() string {
	switch {
	case c.refuse:
		return "refused"
	case c.delay > 0:
		return fmt.Sprintf("delayed by %v", c.delay)
	case c.breakAfter > 0:
		return fmt.Sprintf("requests pass, answers are %v; broken after %d chunks of requests", c.answers, c.breakAfter)
	default:
		return fmt.Sprintf("requests %v, answers %v", c.requests, c.answers)
	}
}
