package pairdb

import (
	"math"
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

// An owner is slow if reading elsewhere repays, and noise does not make the difference: half of its answers take longer
// than 19 in 20 of the fastest owner's, or four times as long as half of its, and a millisecond more; or one in 20
// takes four times as long as that. (The halves stand firm where a hiccup has touched everybody's slowest.) One that owes answers and says nothing is taken to need as long as that already, but not before silence:
// writes wait for disks.
const (
	slowFactor = 4
	slowMargin = time.Millisecond
	silence    = 20 * time.Millisecond

	slowUnknown = time.Duration(math.MaxInt64)
)

// A ranking says whom a read asks, in which order, and how patiently.
type ranking struct {
	order    [quorum.MaxOwners]uint8 // of the owners' slots, best first
	asked    time.Time               // when it was made, and the first owners are asked
	patience time.Duration           // until one of these is late
	quick    time.Duration           // what 19 in 20 answers of the fastest owner take, and a margin
	slow     time.Duration           // past which an answer is slow
	half     time.Duration           // past which half of a slow owner's answers are. All are slowUnknown where no owner has been timed
	probe    *node                   // next in order after those that are asked, and to be asked besides; nil is none
	probed   int                     // the slot of probe
}

// An owner's score is lower for a better one.
const (
	inOtherZone = 1 << iota
	isSlow
	isDraining
	isStalled
	isNotUp
)

// rank orders the owners: those that answer, then those that are not slow, then those of
// this client's zone, then in ring order, which keeps each key with one owner's cache. need of them are asked at
// once, those of lost never.
func (r *ranking) rank(k *call, need int, lost quorum.Set) {
	var seen [quorum.MaxOwners]replica.Glance
	r.asked, r.quick, r.half = k.time(), slowUnknown, slowUnknown
	for i, o := range k.owners {
		g := k.v.nodes[o].conn.Glance(r.asked)
		if g.P95 > 0 && g.State == replica.Up && g.Silent < silence {
			r.quick = min(r.quick, g.P95+slowMargin)
			r.half = min(r.half, slowFactor*g.P50+slowMargin)
		}
		seen[i] = g
	}
	r.slow, r.half = r.quick, min(r.half, r.quick)
	if r.quick != slowUnknown {
		r.slow = max(r.quick, slowFactor*(r.quick-slowMargin))
	}
	var scores [quorum.MaxOwners]int
	for i, o := range k.owners {
		scores[i] = k.v.nodes[o].score(&seen[i], k.c.cfg.zone, r.isSlow(&seen[i]))
		j := i
		for ; j > 0 && scores[r.order[j-1]] > scores[i]; j-- {
			r.order[j] = r.order[j-1]
		}
		r.order[j] = uint8(i)
	}
	r.wait(k, need, lost, &scores, &seen)
}

func (r *ranking) isSlow(g *replica.Glance) bool {
	return g.P50 > r.half || g.P95 > r.slow || g.Silent >= silence && (g.Silent > r.slow || r.slow == slowUnknown)
}

func (n *node) score(g *replica.Glance, zone string, slow bool) int {
	score := 0
	if zone != "" && n.Zone != zone {
		score |= inOtherZone
	}
	if slow {
		score |= isSlow
	}
	if n.State == topology.Draining {
		score |= isDraining
	}
	if g.Stalled {
		score |= isStalled
	}
	if g.State != replica.Up {
		score |= isNotUp
	}
	return score
}

// wait sets the patience: half as much again as the p95 of the owners that are asked, but no longer than what is slow, if
// the one that would be asked next is not. If that is slow too, it is not asked before the others have taken as long as
// it takes. And a slow one from which reads turn away may be due for a probe.
func (r *ranking) wait(k *call, need int, lost quorum.Set, scores *[quorum.MaxOwners]int, seen *[quorum.MaxOwners]replica.Glance) {
	next, quick := -1, true
	for at, i := range r.order[:len(k.owners)] {
		slow := scores[i]&isSlow != 0
		switch {
		case lost.Has(int(i)):
			continue
		case need > 0:
			need--
			r.patience = max(r.patience, usual(seen[i].P95))
			quick = quick && !slow
			continue
		case next < 0:
			next = at
			r.heed(&seen[i], slow)
		}
		if slow && quick && scores[i]&(isDraining|isNotUp) == 0 && r.takeProbe(k, at, next) {
			return
		}
	}
}

// heed fits the patience to the owner that would be asked next.
func (r *ranking) heed(next *replica.Glance, slow bool) {
	if slow {
		r.patience = max(r.patience, min(max(next.P95, next.Silent), hedgeMax))
		return
	}
	most := max(r.slow, hedgeMin)
	if next.P95 == 0 {
		most = min(most, hedgeDefault)
	}
	r.patience = min(r.patience, most)
}

// takeProbe makes the owner at that place in order the next one, if it is due.
func (r *ranking) takeProbe(k *call, at, next int) bool {
	i := r.order[at]
	n := k.v.nodes[k.owners[i]]
	if !n.probes.due(r.asked, &k.c.hedges) {
		return false
	}
	copy(r.order[next+1:at+1], r.order[next:at])
	r.order[next], r.probed, r.probe = i, int(i), n
	return true
}
