package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// read answers one READ, and tells what must be on disk before the answer leaves.
func (c *Core) read(op *wire.Operation, k *opKey, b *batch, received time.Time) (*wire.Answer, proof) {
	id := op.Id
	policy, refusal := c.checkTarget(op)
	if refusal != nil {
		return refusal, proof{}
	}
	if expired(op, received) {
		return refuse(id, storagepb.Status_EXPIRED, ""), proof{}
	}
	s := c.latches.of(k.token)
	s.mu.RLock()
	has, err := c.view(k.key, op.Kind, b)
	until := proof{change: s.dirty}
	s.mu.RUnlock()

	if c.config.NoSync {
		until = proof{}
	}
	switch {
	case err != nil:
		return refuse(id, storagepb.Status_DISK, err.Error()), proof{}
	case has.found && has.policy != policy:
		return refuse(id, storagepb.Status_POLICY, "the key holds a state of policy "+has.policy.String()), until
	case op.Kind == storagepb.Kind_READ_DIGEST:
		a := b.answer(id, storagepb.Status_OK)
		a.Digest = has.state.Digest()
		return a, until
	case has.state.Size() > maxStateBytes:
		return refuse(id, storagepb.Status_TOO_LARGE, fmt.Sprintf("the state has %d bytes, an answer at most %d", has.state.Size(), maxStateBytes)), until
	default:
		a := b.answer(id, storagepb.Status_OK)
		a.State = has.state
		return a, until
	}
}

// view returns as much of the stored state as a read of that kind needs.
func (c *Core) view(key []byte, kind storagepb.Kind, b *batch) (held, error) {
	b.kind = kind
	return c.decode(key, b)
}

// get returns the stored state of an engine key. It is called under its latch.
func (c *Core) get(key []byte, b *batch) (held, error) {
	b.kind = storagepb.Kind_READ_STATE
	return c.decode(key, b)
}

// decode reads a key. Whatever goes wrong there is the engine's failure: a state that does not decode
// is damage.
func (c *Core) decode(key []byte, b *batch) (held, error) {
	if err := c.Err(); err != nil {
		return held{}, err
	}
	if b.use == nil {
		b.use = b.take // once for the batch: a function that holds variables is an allocation
	}
	b.has, b.cache, b.engineKey = held{}, nil, nil
	var found bool
	var err error
	if c.failing == nil || c.failing.Failed() == nil { // else the engine says so
		found, err = c.cache.get(key, b.use)
	}
	if !found {
		b.cache, b.engineKey = c.cache, key
		_, err = c.engine.Get(key, b.use)
	}
	if err != nil {
		if errors.Is(err, ErrDamaged) {
			err = fmt.Errorf("%w: key %x", err, key)
		}
		return held{}, c.fail("read", err)
	}
	return b.has, nil
}

// take decodes what the engine lends.
func (b *batch) take(value []byte) error {
	if b.cache != nil {
		b.cache.put(b.engineKey, value)
	}
	if m := b.merge; m != nil && vclock.Replaces(m.policy, m.sent(), value) {
		b.has = held{policy: m.policy, found: true, replaced: true}
		return nil
	}
	if b.kind == storagepb.Kind_READ_STATE {
		value = b.clone(value) // values alias what is decoded
	}
	policy, state, err := b.slab.DecodeState(value)
	if err != nil {
		return fmt.Errorf("%w: state: %w", ErrDamaged, err)
	}
	switch {
	case b.kind == storagepb.Kind_READ_STATE:
	case b.kind == storagepb.Kind_READ_CLOCK && policy == vclock.Causal:
		state.Siblings = nil
	default:
		for i := range state.Siblings { // the slab's, and nobody else's
			state.Siblings[i].Value = nil
		}
	}
	b.has = held{policy: policy, found: true, state: state}
	return nil
}
