package pairdb

import (
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

// Hedged reads, after Dean & Barroso, "The Tail at Scale" (2013): when an
// owner is slower than its usual 95th percentile, the next one is asked, for at most
// about one read in twenty, so that a slow cluster is not asked twice for everything.
const (
	hedgeDefault = 20 * time.Millisecond  // patience with an owner whose latency is not known yet
	hedgeMin     = time.Millisecond       // below this a scheduler's hiccup looks like a slow owner
	hedgeMax     = 250 * time.Millisecond // past this an owner is late by any measure
	hedgeCost    = 20                     // reads that pay for one hedge
	hedgeSaved   = 10 * hedgeCost         // the most that is saved up: ten hedges in a row

	// explored: one read in so many takes a slow-ranked owner in its turn, to see
	// whether it has recovered.
	explored = 64
)

// budget is a token bucket that reads fill and hedges empty.
type budget struct{ tokens atomic.Int64 }

func (b *budget) earn() {
	if b.tokens.Load() < hedgeSaved {
		b.tokens.Add(1)
	}
}

func (b *budget) spend() bool {
	for {
		have := b.tokens.Load()
		if have < hedgeCost {
			return false
		}
		if b.tokens.CompareAndSwap(have, have-hedgeCost) {
			return true
		}
	}
}

func (b *budget) refund() { b.tokens.Add(hedgeCost) }

// patience is how long to wait before the next look at the request, never past
// its deadline.
func (r *readRequest) patience(hedges int) time.Duration {
	wait := hedgeMax
	if hedges == 0 {
		wait = 0
		r.mu.Lock()
		for i := range r.m.Late().All {
			wait = max(wait, usual(r.conn(i)))
		}
		r.mu.Unlock()
		if wait == 0 {
			wait = hedgeDefault
		}
	}
	return max(1, min(wait, time.Until(r.call.deadline)))
}

func usual(c *replica.Conn) time.Duration {
	p95 := c.Glance().P95
	if p95 == 0 {
		return hedgeDefault
	}
	return min(max(p95+p95/2, hedgeMin), hedgeMax)
}

// hedge asks one owner more, within the budget. An owner that says nothing at
// all is stood in for in any case, so that a frozen node cannot hold reads up.
func (r *readRequest) hedge() {
	c := r.call.c
	r.mu.Lock()
	silent := false
	for i := range r.m.Late().All {
		silent = silent || r.conn(i).Health().Silent >= hedgeMax
	}
	if !silent && !c.hedges.spend() {
		r.mu.Unlock()
		return
	}
	step := r.m.Hedge()
	if step.State|step.Digest|step.Clock != 0 {
		c.counters.hedges.Add(1)
	} else if !silent {
		c.hedges.refund() // there is nobody left to ask
	}
	r.follow(step)
	r.unlock()
}

// rank appends the owners' slots, best first: those that answer, then those of
// this client's zone, then in ring order, which keeps each key with one owner's cache.
func (k *call) rank(order []uint8) []uint8 {
	var scores [quorum.MaxOwners]int
	var seen [quorum.MaxOwners]replica.Glance
	fastest := time.Duration(1<<63 - 1)
	for i, o := range k.owners {
		seen[i] = k.v.nodes[o].conn.Glance()
		if p95 := seen[i].P95; p95 > 0 {
			fastest = min(fastest, p95)
		}
	}
	explore := k.c.counters.reads.Add(1)%explored == 0
	for i, o := range k.owners {
		scores[i] = k.v.nodes[o].score(seen[i], k.c.cfg.zone, fastest, explore)
		j := len(order)
		order = append(order, uint8(i))
		for ; j > 0 && scores[order[j-1]] > scores[i]; j-- {
			order[j] = order[j-1]
		}
		order[j] = uint8(i)
	}
	return order
}

// score is lower for a better owner.
func (n *node) score(h replica.Glance, zone string, fastest time.Duration, explore bool) int {
	const (
		otherZone = 1 << iota
		slow
		draining
		isStalled
		notUp
	)
	score := 0
	if zone != "" && n.Zone != zone {
		score |= otherZone
	}
	// Four times the fastest and a millisecond more: a difference that reading
	// elsewhere repays, and that noise does not make.
	if !explore && h.P95 > 4*fastest && h.P95-fastest > time.Millisecond {
		score |= slow
	}
	if n.State == topology.Draining {
		score |= draining
	}
	if h.Stalled {
		score |= isStalled
	}
	if h.State != replica.Up {
		score |= notUp
	}
	return score
}
