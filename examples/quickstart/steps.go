package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/replica"
)

// A demo is what the steps share.
type demo struct {
	out      *printer
	nodes    *cluster
	client   *pairdb.Client
	files    *pairdb.Tenant
	notes    *pairdb.Tenant
	repaired chan pairdb.Repair
}

// OnRepair implements pairdb.HookRepair.
func (d *demo) OnRepair(e pairdb.Repair) {
	select {
	case d.repaired <- e:
	default: // nobody waits for it
	}
}

// patience bounds a call on a machine that is busy with everything else, too.
const patience = 30 * time.Second

func open(ctx context.Context, out *printer, nodes *cluster) (*demo, error) {
	d := &demo{out: out, nodes: nodes, repaired: make(chan pairdb.Repair, 1)}
	client, err := pairdb.Open(ctx, nodes.source(), pairdb.WithHooks(d), pairdb.WithTimeout(patience))
	if err != nil {
		return nil, err
	}
	d.client, d.files, d.notes = client, client.Tenant("files"), client.Tenant("notes")
	ready, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := client.Ready(ready); err != nil {
		d.close()
		return nil, fmt.Errorf("%w; does a firewall stop connections to 127.0.0.1?", err)
	}
	return d, nil
}

func (d *demo) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = d.client.Close(ctx) // the nodes go next: an unfinished tail does not matter
}

// victim is the node that is killed half way.
func (d *demo) victim() *process { return d.nodes.nodes[2] }

// repair restarts the node that was killed, and reads a key that it has missed.
func (d *demo) repair(ctx context.Context, t *tree) error {
	n := d.victim()
	d.out.step("Restart %s; a read brings back to it what it has missed (read repair)", n.id)
	if err := d.restart(ctx, n); err != nil {
		return err
	}
	key := t.files[len(t.files)-1].key // stored while the node was down
	before, err := n.ask(ctx, d.files.ID(), key)
	if err != nil {
		return err
	}
	d.out.line("%s alone, before:   %s: %s", n.id, key, before)

	obj, err := d.files.Get(ctx, key, pairdb.AtLevel(pairdb.All))
	if err != nil {
		return d.explain(err)
	}
	select {
	case e := <-d.repaired:
		d.out.line("Get at level All:   %s bytes; repair sent to %s (%d by Stats)", count(len(obj.Value)), e.Node, d.client.Stats().Repairs)
	case <-time.After(patience):
		return fmt.Errorf("a read of %q repaired nothing, though %s was down when it was stored", key, n.id)
	case <-ctx.Done():
		return ctx.Err()
	}
	// The repair is on its way: the read did not wait for it.
	var after held
	err = wait(ctx, func() (bool, error) {
		after, err = n.ask(ctx, d.files.ID(), key)
		return after.found && bytes.Equal(after.value, obj.Value), err
	})
	if err != nil {
		return fmt.Errorf("%s has not got %q back: %w", n.id, key, err)
	}
	d.out.line("%s alone, after:    %s: %s", n.id, key, after)
	return nil
}

// merge edits one key twice from the same version, and settles the conflict.
func (d *demo) merge(ctx context.Context, _ *tree) error {
	const key = "shopping"
	d.out.step("Two people edit one note at once; neither edit is lost")
	if _, err := d.notes.Put(ctx, key, []byte("milk")); err != nil {
		return d.explain(err)
	}
	seen, err := d.notes.Get(ctx, key)
	if err != nil {
		return d.explain(err)
	}
	for _, edit := range []string{"milk bread", "milk apples"} { // both from what was seen above
		if _, err := d.notes.Put(ctx, key, []byte(edit), pairdb.After(seen.Context)); err != nil {
			return d.explain(err)
		}
	}
	obj, err := d.notes.Get(ctx, key, pairdb.ResolveWith(union))
	if err != nil {
		return d.explain(err)
	}
	for _, s := range obj.Siblings {
		d.out.line("sibling:            %q", s.Value)
	}
	d.out.line("merged by resolver: %q", obj.Value)
	if _, err := d.notes.Put(ctx, key, obj.Value, pairdb.After(obj.Context)); err != nil {
		return d.explain(err)
	}
	if obj, err = d.notes.Get(ctx, key); err != nil {
		return d.explain(err)
	}
	d.out.line("stored with After:  %q, siblings: %d", obj.Value, len(obj.Siblings))
	return nil
}

// union is a pairdb.Resolver: the words of all siblings, each once.
func union(_ string, live []pairdb.Sibling) ([]byte, error) {
	var words []string
	for _, s := range live {
		words = append(words, strings.Fields(string(s.Value))...)
	}
	slices.Sort(words)
	return []byte(strings.Join(slices.Compact(words), " ")), nil
}

func (d *demo) delete(ctx context.Context, _ *tree) error {
	const key = "shopping"
	d.out.step("Delete the note")
	r, err := d.notes.Delete(ctx, key)
	if err != nil {
		return d.explain(err)
	}
	d.out.line("Delete:             on disk on %d of %d nodes when it returned", r.Acked, r.Owners)
	obj, err := d.notes.Get(ctx, key)
	if !errors.Is(err, pairdb.ErrNotFound) {
		return fmt.Errorf("the deleted note reads as %q, %w", obj.Value, err)
	}
	d.out.line("Get:                %v", err)
	return nil
}

// outage kills two nodes of three, and shows what a caller gets.
func (d *demo) outage(ctx context.Context, t *tree) error {
	down := d.nodes.nodes[1:]
	d.out.step("Kill %s and %s: too few are left for a quorum", down[0].id, down[1].id)
	for _, n := range down {
		n.kill()
	}
	if err := d.waitFor(ctx, replica.Down, down...); err != nil {
		return err
	}
	_, err := d.notes.Put(ctx, "todo", []byte("call Ann"))
	if err == nil {
		return errors.New("a put succeeded with one node of three")
	}
	var quorum *pairdb.QuorumError
	if !errors.As(err, &quorum) { // it has the level, the counts, and the cause of each node
		return d.explain(err)
	}
	d.out.line("Put fails:")
	d.out.wrapped(err.Error())
	d.out.line("ErrNotApplied:      %-5t  it has not happened and never will", errors.Is(err, pairdb.ErrNotApplied))
	d.out.line("ErrUnknown:         %-5t  it may have happened", errors.Is(err, pairdb.ErrUnknown))
	d.out.line("Retryable:          %-5t  the same call may be repeated", pairdb.Retryable(err))
	obj, err := d.files.Get(ctx, t.files[0].key, pairdb.AtLevel(pairdb.One))
	if err != nil {
		return d.explain(err)
	}
	d.out.line("Get at level One:   %s: %s bytes, from the node that is left", t.files[0].key, count(len(obj.Value)))

	if err := d.restart(ctx, down...); err != nil {
		return err
	}
	r, err := d.notes.Put(ctx, "todo", []byte("call Ann"))
	if err != nil {
		return d.explain(err)
	}
	d.out.line("both back, Put:     on disk on %d of %d nodes when it returned", r.Acked, r.Owners)
	return nil
}
