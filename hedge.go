package pairdb

import (
	"sync/atomic"
	"time"
)

// Hedged reads, after Dean & Barroso, "The Tail at Scale" (2013): when an
// owner is slower than the 95th percentile of what is usual, the next one is asked, for at most
// about one read in twenty, so that a slow cluster is not asked twice for everything.
const (
	hedgeDefault = 20 * time.Millisecond  // patience with an owner whose latency is not known yet
	hedgeMin     = time.Millisecond       // below this a scheduler's hiccup looks like a slow owner
	hedgeMax     = 250 * time.Millisecond // past this an owner is late by any measure
	hedgeCost    = 20                     // reads that pay for one hedge, or one probe
	hedgeSaved   = 10 * hedgeCost         // the most that is saved up: ten hedges in a row
)

// budget is a token bucket that reads fill, and that hedges and probes empty.
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

// usual is the patience with an owner of that p95; 0 is not known.
func usual(p95 time.Duration) time.Duration {
	if p95 == 0 {
		return hedgeDefault
	}
	return min(max(p95+p95/2, hedgeMin), hedgeMax)
}

// again is how long to wait until the next look at a read that has waited: twice the time, then when an owner is late by
// any measure (a little after that: it was asked a little after the wait began), then as long each time.
func again(waited time.Duration) time.Duration {
	if past := hedgeMax + hedgeMin; waited < past {
		return min(waited, past-waited)
	}
	return hedgeMax
}

// hedge asks one owner more, since one is late, waited after the first were asked. It does
// so within the budget; an owner that has fallen silent is stood in for in any case, so that a frozen node
// cannot hold reads up.
func (r *readRequest) hedge(waited time.Duration) {
	c := r.call.c
	r.mu.Lock()
	if waited >= r.ranking.slow {
		r.overdue(waited)
	}
	free := r.silent(r.ranking.asked.Add(waited))
	if !free && !c.hedges.spend() {
		r.mu.Unlock()
		return
	}
	step := r.m.Hedge()
	if step.State|step.Digest|step.Clock != 0 {
		c.counters.hedges.Add(1)
	} else if !free {
		c.hedges.refund() // there is nobody left to ask
	}
	r.follow(step)
	r.unlock()
}

// silent reports whether a late owner is silent beyond doubt: for so long that it is late by any measure,
// or, where another owner has answered meanwhile and it is not all of them that are slow, for longer
// than a slow owner takes. mu is held.
func (r *readRequest) silent(now time.Time) bool {
	enough := hedgeMax
	if r.m.Answered() != 0 { // where none has been timed yet, slow is longer than any
		enough = min(enough, max(r.ranking.slow, silence))
	}
	for i := range r.m.Late().All {
		if r.conn(i).Glance(now).Silent >= enough {
			return true
		}
	}
	return false
}

// overdue tells, once, of the owners that have not answered: what they take is evidence before it is
// over, and where it never is. mu is held.
func (r *readRequest) overdue(waited time.Duration) {
	if r.told {
		return
	}
	r.told = true
	for i := range (r.first & r.m.Outstanding()).All {
		r.conn(i).Overdue(waited)
	}
}

// overtaken tells of the owners that a read that is decided has not waited for.
func (r *readRequest) overtaken(waited time.Duration) {
	r.mu.Lock()
	r.overdue(waited)
	r.mu.Unlock()
}
