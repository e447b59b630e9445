package pairdb

import (
	"context"
	"fmt"
	"time"

	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/topology"
)

// recordTimeout bounds one call of a topology source that records a store.
const recordTimeout = 5 * time.Second

// recordStores tells the topology source which store each node was first seen
// with, where the topology names none, until the client closes.
func (c *Client) recordStores(r topology.Recorder) {
	told := map[topology.NodeID]uint64{}
	backoff := watchBackoffMin
	for {
		changed := c.nodes.changed()
		failed := false
		for _, n := range c.view.Load().nodes {
			store := n.conn.AcceptedStore()
			state, _ := n.conn.Standing()
			if n.StoreID != 0 || store == 0 || told[n.ID] == store || state != replica.Up {
				continue
			}
			if err := c.recordStore(r, n.ID, store); err != nil {
				c.cfg.log.Warn("the topology source could not record a node's store", "node", n.ID, "store", fmt.Sprintf("%016x", store), "error", err)
				failed = true
				continue
			}
			told[n.ID] = store
		}
		var again <-chan time.Time
		var timer *time.Timer
		if failed {
			timer = time.NewTimer(backoff)
			again = timer.C
			backoff = min(2*backoff, watchBackoffMax)
		} else {
			backoff = watchBackoffMin
		}
		select {
		case <-changed:
		case <-again:
		case <-c.background.Done():
		}
		if timer != nil {
			timer.Stop()
		}
		if c.background.Err() != nil {
			return
		}
	}
}

func (c *Client) recordStore(r topology.Recorder, n topology.NodeID, store uint64) error {
	ctx, cancel := context.WithTimeout(c.background, recordTimeout)
	defer cancel()
	return r.RecordStore(ctx, n, store)
}
