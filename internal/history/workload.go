package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/devrev/pairdb"
	"github.com/devrev/pairdb/vclock"
)

// A Worker runs random operations on a tenant and records them. Several may
// share a Log; one Worker is for one goroutine.
type Worker struct {
	Name   string
	Tenant *pairdb.Tenant
	Scope  string // of the cluster, for the clocks in receipts
	Log    *Log
	Rand   *rand.Rand
	Keys   []string
	Level  pairdb.Level // of reads and writes; they must overlap. Zero is Quorum.

	last map[string]*seen // what this worker last read of a key: often stale
}

type seen struct {
	read    *Read
	context pairdb.CausalContext
}

// Step runs one operation. ctx bounds it.
func (w *Worker) Step(ctx context.Context) {
	if w.last == nil {
		w.last = map[string]*seen{}
	}
	key := w.Keys[w.Rand.IntN(len(w.Keys))]
	last := w.last[key]
	switch n := w.Rand.IntN(100); {
	case n < 30 || n < 60 && last == nil:
		_ = w.Get(ctx, key) // a read that fails shows nothing
	case n < 48:
		w.write(ctx, key, false, false, last.read, pairdb.After(last.context))
	case n < 56:
		w.write(ctx, key, true, false, last.read, pairdb.After(last.context))
	case n < 60:
		w.write(ctx, key, false, false, nil, pairdb.NoContext())
	case n < 75:
		w.write(ctx, key, false, true, nil)
	case n < 80:
		w.write(ctx, key, true, true, nil)
	default:
		w.update(ctx, key)
	}
}

// Get reads a key and records what it showed.
func (w *Worker) Get(ctx context.Context, key string) error {
	begin := w.Log.BeginRead()
	obj, err := w.Tenant.Get(ctx, key, pairdb.AtLevel(w.level()))
	if err != nil && !errors.Is(err, pairdb.ErrNotFound) {
		return err
	}
	w.last[key] = &seen{read: w.shown(begin, obj), context: obj.Context}
	return nil
}

// GetAll reads every key: what a test does at the end, when all nodes are up.
func (w *Worker) GetAll(ctx context.Context) error {
	if w.last == nil {
		w.last = map[string]*seen{}
	}
	for _, key := range w.Keys {
		if err := w.Get(ctx, key); err != nil {
			return fmt.Errorf("final read of %q: %w", key, err)
		}
	}
	return nil
}

func (w *Worker) level() pairdb.Level {
	if w.Level == 0 {
		return pairdb.Quorum
	}
	return w.Level
}

func (w *Worker) shown(begin int64, obj pairdb.Object) *Read {
	dots := make([]vclock.Dot, len(obj.Siblings))
	ids := make([]int, len(obj.Siblings))
	for i, s := range obj.Siblings {
		dots[i] = s.Dot
		if !s.Deleted {
			id, err := strconv.Atoi(string(s.Value))
			if err != nil {
				id = -1 // no value of ours: nobody wrote it
			}
			ids[i] = id
		}
	}
	return w.Log.EndRead(obj.Key, begin, dots, ids, w.Name)
}

func (w *Worker) write(ctx context.Context, key string, tombstone, blind bool, saw *Read, opts ...pairdb.WriteOption) {
	opts = append(opts, pairdb.AtLevel(w.level()))
	rec := w.Log.BeginWrite(key, tombstone, blind, saw)
	var r pairdb.Receipt
	var err error
	if tombstone {
		r, err = w.Tenant.Delete(ctx, key, opts...)
	} else {
		r, err = w.Tenant.Put(ctx, key, []byte(strconv.Itoa(rec.ID)), opts...)
	}
	w.ended(rec, r, err)
}

func (w *Worker) update(ctx context.Context, key string) {
	begin := w.Log.BeginRead()
	var rec *Write
	r, err := w.Tenant.Update(ctx, key, func(obj pairdb.Object) ([]byte, error) {
		saw := w.shown(begin, obj)
		w.last[key] = &seen{read: saw, context: obj.Context}
		tombstone := w.Rand.IntN(10) == 0
		rec = w.Log.BeginWrite(key, tombstone, false, saw)
		if tombstone {
			return nil, pairdb.DeleteKey
		}
		return []byte(strconv.Itoa(rec.ID)), nil
	}, pairdb.AtLevel(w.level()))
	if rec != nil {
		w.ended(rec, r, err)
	}
}

func (w *Worker) ended(rec *Write, r pairdb.Receipt, err error) {
	switch {
	case err == nil:
		clock, scopeErr := r.Context.Clock(vclock.Scope(w.Scope, w.Tenant.ID(), rec.Key))
		if scopeErr != nil {
			panic(scopeErr) // the receipt's context is not of its key
		}
		w.Log.EndWrite(rec, Acked, r.Dot, clock, w.Name)
	case errors.Is(err, pairdb.ErrNotApplied) && !errors.Is(err, pairdb.ErrUnknown):
		w.Log.EndWrite(rec, NotApplied, vclock.Dot{}, nil, w.Name+" "+err.Error())
	case errors.Is(err, pairdb.ErrUnknown) && !errors.Is(err, pairdb.ErrNotApplied):
		w.Log.EndWrite(rec, Unknown, vclock.Dot{}, nil, w.Name+" "+err.Error())
	default:
		panic(fmt.Sprintf("an error of a write has exactly one outcome: %v", err))
	}
}
