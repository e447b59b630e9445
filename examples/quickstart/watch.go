package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/topology"
)

// restart starts nodes again and waits until the client has found them.
func (d *demo) restart(ctx context.Context, nodes ...*process) error {
	for _, n := range nodes {
		if err := n.start(ctx); err != nil {
			return err
		}
	}
	return d.waitFor(ctx, replica.Up, nodes...)
}

// waitFor waits until the client sees the nodes in the given state.
func (d *demo) waitFor(ctx context.Context, state replica.State, nodes ...*process) error {
	want := map[topology.NodeID]bool{}
	for _, n := range nodes {
		want[topology.NodeID(n.id)] = true
	}
	err := wait(ctx, func() (bool, error) {
		for _, n := range d.client.Health().Nodes {
			if want[n.Node] && n.State != state {
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("the nodes are not %v: %w", state, err)
	}
	return nil
}

var errPatience = fmt.Errorf("still so after %v; try again when the machine is less busy", patience)

// wait asks until the answer is yes.
func wait(ctx context.Context, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// held is what one node holds of a key.
type held struct {
	found bool
	value []byte
}

func (h held) String() string {
	if !h.found {
		return "not there"
	}
	return count(len(h.value)) + " bytes"
}

// ask reads a key of one node alone, past the client and its quorums: programs need
// this for a look behind the scenes only.
func (p *process) ask(ctx context.Context, tenant, key string) (held, error) {
	conn := replica.New(replica.Config{Cluster: p.cluster, Node: topology.NodeID(p.id), Addr: p.addr})
	defer func() { _ = conn.Close(ctx) }()
	answer := make(answered, 1)
	op := &replica.Op{
		Kind: storagepb.Kind_READ_STATE, Tenant: tenant, Key: key,
		Deadline: time.Now().Add(patience), Handler: answer,
	}
	if err := conn.Send(op); err != nil {
		return held{}, fmt.Errorf("ask %s: %w", p.id, err)
	}
	r := <-answer
	switch {
	case r.Err != nil:
		return held{}, fmt.Errorf("ask %s: %w", p.id, r.Err)
	case r.Status != storagepb.Status_OK:
		return held{}, fmt.Errorf("ask %s: it answered %v: %s", p.id, r.Status, r.Detail)
	case len(r.State.Siblings) == 0:
		return held{}, nil
	}
	return held{found: true, value: r.State.Siblings[0].Value}, nil
}

// answered is a replica.Handler with room for the one answer.
type answered chan replica.Result

// Complete implements replica.Handler.
func (a answered) Complete(_ *replica.Op, r replica.Result) { a <- r }

// explain adds to an error of the client what may be done here.
func (d *demo) explain(err error) error {
	var part *pairdb.ReplicaError
	if errors.As(err, &part) && part.Answered {
		return fmt.Errorf("%w; is there room on the disk of %s? TMPDIR names another place", err, d.nodes.dir)
	}
	return fmt.Errorf("%w; try again when the machine is less busy, or with fewer -workers", err)
}
