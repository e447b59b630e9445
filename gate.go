package pairdb

import (
	"context"
	"sync/atomic"
)

// gate counts what is inside, and can be shut: then nothing enters, and
// drained is closed when the last has left.
type gate struct {
	state   atomic.Int64 // how many are inside, and the two flags
	drained chan struct{}
}

const (
	gateShut    = int64(1) << 62
	gateDrained = int64(1) << 61 // drained was closed; set once
)

func newGate() *gate { return &gate{drained: make(chan struct{})} }

// enter reports whether the gate was open; then the caller must leave.
func (g *gate) enter() bool {
	if g.state.Add(1)&gateShut != 0 {
		g.leave()
		return false
	}
	return true
}

// hold enters once more; only for those who are inside.
func (g *gate) hold() { g.state.Add(1) }

func (g *gate) leave() {
	if g.state.Add(-1) == gateShut {
		g.drain()
	}
}

// drain is reached whenever the count falls to zero behind a shut gate, which
// refused visitors may cause more than once.
func (g *gate) drain() {
	if g.state.CompareAndSwap(gateShut, gateShut|gateDrained) {
		close(g.drained)
	}
}

// shut refuses further entries. Idempotent.
func (g *gate) shut() {
	if old := g.state.Or(gateShut); old == 0 {
		g.drain()
	}
}

// wait returns when all have left, or ctx ended.
func (g *gate) wait(ctx context.Context) error {
	select {
	case <-g.drained:
		return nil
	default:
	}
	select {
	case <-g.drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inside returns how many are inside.
func (g *gate) inside() int64 { return g.state.Load() &^ (gateShut | gateDrained) }
