package pairdb

import (
	"time"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
)

// Bounds of read repair (promise P11).
const (
	maxRepairs    = 1024 // under way at once per client; what is over is left to the next read
	repairTimeout = 5 * time.Second
)

// work is what the steps of a request leave to do without its lock.
type work struct {
	repairs []quorum.Repair
	ended   bool
}

// take empties w. Repairs hold the gate until repairAll has sent them: by then the request
// may have ended. The request's lock is held.
func (w *work) take(c *Client) (todo work) {
	todo, *w = *w, work{}
	if len(todo.repairs) > 0 {
		c.gate.hold()
	}
	return todo
}

func (k *call) repairAll(repairs []quorum.Repair) {
	if len(repairs) == 0 {
		return
	}
	defer k.c.gate.leave()
	for _, r := range repairs {
		k.repair(r)
	}
}

// repairing counts one repair that is under way.
type repairing struct{ c *Client }

// Complete counts the outcome, on a connection's goroutine.
func (r repairing) Complete(_ *replica.Op, res replica.Result) {
	if res.Err != nil || res.Status != storagepb.Status_OK {
		r.c.counters.repairsFailed.Add(1)
	}
	r.c.counters.repairing.Add(-1)
	r.c.gate.leave()
}

// repair sends a joined state to owners that were seen to be behind. It never
// waits: a node that has no room is repaired by a later read. The state was held on
// disk by an owner, so it goes as a node's, exempt from the checks on clients.
// The gate is held meanwhile.
func (k *call) repair(r quorum.Repair) {
	c := k.c
	for i := range r.To.All {
		if c.counters.repairing.Add(1) > maxRepairs {
			c.counters.repairing.Add(-1)
			c.counters.repairsFailed.Add(1)
			continue
		}
		n := k.v.nodes[k.owners[i]]
		c.gate.hold()
		err := n.conn.Send(&replica.Op{
			Kind: storagepb.Kind_MERGE, Origin: storagepb.Origin_NODE, Background: true,
			Tenant: k.tenant, Key: k.key, Policy: k.cfg.Policy, State: r.State,
			Deadline: time.Now().Add(repairTimeout), Handler: repairing{c},
		})
		if err != nil {
			c.counters.repairsFailed.Add(1)
			c.counters.repairing.Add(-1)
			c.gate.leave()
			continue
		}
		c.counters.repairs.Add(1)
		for _, h := range c.cfg.hooks.repair {
			h.OnRepair(Repair{Tenant: k.tenant, Key: k.key, Node: n.ID})
		}
	}
}
