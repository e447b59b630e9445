package pairdb

import (
	"sync/atomic"

	"github.com/devrev/pairdb/topology"
)

// Stats are what a client has counted since Open, and its gauges.
type Stats struct {
	Gets, Puts, Deletes, Updates uint64 // calls that returned, with whatever outcome
	NotFound                     uint64 // gets that ended with ErrNotFound
	Failed                       uint64 // calls that ended with another error
	NotApplied, Unknown          uint64 // failed writes by outcome
	Overloaded                   uint64 // calls refused at once, since too few owners would have got to them in time (OverloadError)
	Conflicts                    uint64 // reads that met several live siblings
	Hedges                       uint64 // reads that asked one owner more because another was late
	Probes                       uint64 // reads that asked a slow owner as well, to see whether it has recovered
	Repairs, RepairsFailed       uint64 // states sent to owners that were behind; those that failed or had no room
	Missed                       uint64 // owners that had not acknowledged a write when its tail ended
	TopologyErrors               uint64 // failures of the topology source, and topologies refused

	Duplicates   uint64 // writes whose idempotency key was found finished
	Replays      uint64 // unfinished writes of other calls that were sent again
	Unfinished   uint64 // writes whose success could not be recorded under their idempotency key
	Unprotected  uint64 // writes made without the idempotency store, which could not be asked (FailOpen)
	TenantsStale uint64 // tenants served as last seen, since the tenant store could not be asked

	InFlight    int64 // calls and tails under way
	KeysMinted  int   // keys whose last dots are remembered
	Generations int   // actors made up after the first ones, since keys were forgotten or ran out of lanes
	Nodes       []NodeStats
}

// NodeStats are one node's.
type NodeStats struct {
	Node                          topology.NodeID
	Sent, Answered, Broken        uint64 // operations handed to the stream, answered, and left without an answer by a break
	Reconnects, Batches, BytesOut uint64
	InFlight, Waiting             int // operations unanswered, and waiting for room
}

type counters struct {
	gets, puts, deletes, updates atomic.Uint64
	notFound, failed             atomic.Uint64
	notApplied, unknown          atomic.Uint64
	overloaded                   atomic.Uint64
	conflicts, hedges            atomic.Uint64
	repairs, repairsFailed       atomic.Uint64
	missed, topologyErrors       atomic.Uint64
	duplicates, replays          atomic.Uint64
	unfinished, unprotected      atomic.Uint64
	tenantsStale                 atomic.Uint64
	probes                       atomic.Uint64
	repairing                    atomic.Int64
}

// count counts a call that ended with err, and outcome if it was a write.
func (c *counters) count(op string, err, outcome error) {
	switch op {
	case opGet:
		c.gets.Add(1)
	case opPut:
		c.puts.Add(1)
	case opDelete:
		c.deletes.Add(1)
	case opUpdate:
		c.updates.Add(1)
	}
	switch {
	case err == nil:
		return
	case err == ErrNotFound: //nolint:errorlint // the bare sentinel, not what some function of the caller's met
		c.notFound.Add(1)
		return
	case outcome == ErrNotApplied: //nolint:errorlint // the bare sentinel
		c.notApplied.Add(1)
	case outcome == ErrUnknown: //nolint:errorlint // likewise
		c.unknown.Add(1)
	}
	c.failed.Add(1)
}

// Stats returns the counters and gauges. It does no I/O; the figures are read one
// after the other, not at one instant.
func (c *Client) Stats() Stats {
	n := &c.counters
	s := Stats{
		Gets: n.gets.Load(), Puts: n.puts.Load(), Deletes: n.deletes.Load(), Updates: n.updates.Load(),
		NotFound: n.notFound.Load(), Failed: n.failed.Load(),
		NotApplied: n.notApplied.Load(), Unknown: n.unknown.Load(),
		Overloaded: n.overloaded.Load(),
		Conflicts:  n.conflicts.Load(), Hedges: n.hedges.Load(), Probes: n.probes.Load(),
		Repairs: n.repairs.Load(), RepairsFailed: n.repairsFailed.Load(),
		Missed: n.missed.Load(), TopologyErrors: n.topologyErrors.Load(),
		Duplicates: n.duplicates.Load(), Replays: n.replays.Load(),
		Unfinished: n.unfinished.Load(), Unprotected: n.unprotected.Load(), TenantsStale: n.tenantsStale.Load(),
		InFlight: c.gate.inside(), Generations: c.memory.generations(),
	}
	s.KeysMinted = c.memory.keys()
	for _, node := range c.view.Load().nodes {
		h := node.conn.Health()
		s.Nodes = append(s.Nodes, NodeStats{
			Node: node.ID, Sent: h.Sent, Answered: h.Answered, Broken: h.Broken,
			Reconnects: h.Reconnects, Batches: h.Batches, BytesOut: h.BytesOut,
			InFlight: h.InFlight, Waiting: h.Waiting,
		})
	}
	return s
}
