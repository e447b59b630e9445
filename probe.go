package pairdb

import (
	"sync/atomic"
	"time"

	"github.com/devrev/pairdb/quorum"
)

// Reads turn away from a slow owner, and so would never learn that it has recovered. Now and then one asks it as
// well, besides those that it waits for: a probe. Nobody waits for its answer. Probes are paid for
// from the hedges' budget, one is under way at a time, and while they are late they become rarer.
const (
	probePause    = 100 * time.Millisecond // after the first late one; twice as long after each further one
	probePauseMax = time.Second
	probesQuick   = 16 // in a row: the owner has recovered
)

// probes are one node's.
type probes struct {
	busy atomic.Bool // one is under way, or whether one is due is being asked. Guards the rest

	next  time.Time     // not before
	pause time.Duration // after the next late one
	quick int           // in a row
}

// due takes the turn to probe, and pays for it. The turn must be ended or cancelled.
func (p *probes) due(now time.Time, b *budget) bool {
	if p.busy.Load() || !p.busy.CompareAndSwap(false, true) {
		return false
	}
	if now.Before(p.next) || !b.spend() {
		p.busy.Store(false)
		return false
	}
	return true
}

// end ends a turn, with whether the owner was quick. It returns true when it has recovered.
func (p *probes) end(quick bool) (recovered bool) {
	if quick {
		p.quick++
		p.pause, p.next = 0, time.Time{}
		if recovered = p.quick == probesQuick; recovered {
			p.quick = 0
		}
	} else {
		p.quick = 0
		p.pause = min(max(2*p.pause, probePause), probePauseMax)
		p.next = time.Now().Add(p.pause)
	}
	p.busy.Store(false)
	return recovered
}

// probe asks the owner whose turn it is, if the read has not come to ask it already. mu is held.
func (r *readRequest) probe() {
	k := &r.ranking
	if k.probe == nil {
		return
	}
	if r.m.Outcome() == quorum.Pending && !r.flying.Has(k.probed) {
		r.probing = quorum.SetOf(k.probed)
		r.call.c.counters.probes.Add(1)
		r.follow(r.m.Hedge())
	}
	if r.probing&r.flying == 0 { // it could not be asked, or is waited for
		r.probing = 0
		k.drop()
	}
}

// drop ends a turn to probe that has come to nothing.
func (r *ranking) drop() {
	if r.probe != nil {
		r.probe.probes.end(false)
	}
}

// probeEnded notes what became of the probe, if operation i is one. mu is held.
func (r *readRequest) probeEnded(i int, answered bool, took time.Duration) {
	if !r.probing.Has(i) {
		return
	}
	r.probing = 0
	n := r.ranking.probe
	if n.probes.end(answered && took <= r.ranking.quick) {
		n.conn.Recovered(probesQuick)
	}
}
