package node

import "sync/atomic"

// Stats are counts since the node was opened, and what is in hand.
type Stats struct {
	Reads       uint64 // answered OK
	Merges      uint64 // answered OK, or about to be when the sync that covers them is done
	Unchanged   uint64 // of those, the ones that changed nothing
	Refused     uint64 // answered with any other status
	Full        uint64 // batches that the engine refused for want of space
	Batches     uint64 // that were applied
	Syncs       uint64 // each covers one batch or many
	InHandOps   int    // received and not yet answered
	InHandBytes int
}

// Stats returns the counts.
func (c *Core) Stats() Stats {
	n := &c.counters
	s := Stats{
		Reads: n.reads.Load(), Merges: n.merges.Load(), Unchanged: n.unchanged.Load(),
		Refused: n.refused.Load() + n.unproven.Load(), Full: n.full.Load(),
		Batches: n.batches.Load(), Syncs: c.sync.syncs.Load(),
	}
	s.InHandOps, s.InHandBytes = c.load.inHand()
	return s
}

type counters struct {
	reads, merges, unchanged, refused, unproven, full, batches atomic.Uint64
}

// count counts the answers of a frame, before they are put: one by one, the streams would pull the counters
// from each other.
func (n *counters) count(o *outcomes) {
	switch {
	case o.answered == 0:
	case o.merges:
		n.merges.Add(o.answered)
	default:
		n.reads.Add(o.answered)
	}
	if o.refused > 0 {
		n.refused.Add(o.refused)
	}
	o.answered, o.refused = 0, 0
}
