package pairdb_test

import (
	"context"
	"sync"

	"github.com/devrev/pairdb"
)

// A recorder is a hook of every kind that keeps what it was told.
type recorder struct {
	mu     sync.Mutex
	events []any // guarded by mu
}

func (r *recorder) add(e any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// recorded are the events of one kind, in order.
func recorded[E any](r *recorder) (all []E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e, ok := e.(E); ok {
			all = append(all, e)
		}
	}
	return all
}

func (r *recorder) missed() []pairdb.Missed  { return recorded[pairdb.Missed](r) }
func (r *recorder) repairs() []pairdb.Repair { return recorded[pairdb.Repair](r) }

type spanKey struct{}

func (r *recorder) OnRequestStart(ctx context.Context, e pairdb.RequestStart) context.Context {
	r.add(e)
	return context.WithValue(ctx, spanKey{}, e.Key)
}

// A span is what OnRequestEnd got, with what OnRequestStart put into the context.
type span struct {
	pairdb.RequestEnd
	started any
}

func (r *recorder) OnRequestEnd(ctx context.Context, e pairdb.RequestEnd) {
	r.add(span{e, ctx.Value(spanKey{})})
}
func (r *recorder) OnNodeState(e pairdb.NodeState)     { r.add(e) }
func (r *recorder) OnTopology(e pairdb.TopologyChange) { r.add(e) }
func (r *recorder) OnRepair(e pairdb.Repair)           { r.add(e) }
func (r *recorder) OnMissed(e pairdb.Missed)           { r.add(e) }
func (r *recorder) OnConflict(e pairdb.Conflict)       { r.add(e) }
