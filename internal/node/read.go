package node

import (
	"bytes"
	"fmt"
	"time"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// read answers one READ, and tells what must be on disk before the answer leaves.
func (c *Core) read(op *storagepb.Operation, received time.Time) (*storagepb.Answer, proof) {
	id := op.GetId()
	policy, refusal := c.checkTarget(op)
	if refusal != nil {
		return refusal, proof{}
	}
	if expired(op, received) {
		return refuse(id, storagepb.Status_EXPIRED, ""), proof{}
	}
	key, token := appendKey(make([]byte, 0, tokenBytes+len(op.GetTenant())+1+len(op.GetKey())), op.GetTenant(), op.GetKey())

	s := c.latches.of(token)
	s.mu.RLock()
	has, err := c.view(key, op.GetKind())
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
	case op.GetKind() == storagepb.Kind_READ_DIGEST:
		return &storagepb.Answer{Id: id, Status: storagepb.Status_OK, Digest: has.state.Digest()}, until
	case has.state.Size() > maxStateBytes:
		return refuse(id, storagepb.Status_TOO_LARGE, fmt.Sprintf("the state has %d bytes, an answer at most %d", has.state.Size(), maxStateBytes)), until
	default:
		return &storagepb.Answer{Id: id, Status: storagepb.Status_OK, State: wire.FromState(has.state)}, until
	}
}

// view returns as much of the stored state as a read of that kind needs.
func (c *Core) view(key []byte, kind storagepb.Kind) (held, error) {
	if kind == storagepb.Kind_READ_STATE {
		return c.get(key)
	}
	return c.decode(key, func(value []byte) (held, error) {
		policy, state, err := vclock.DecodeState(value)
		if err != nil {
			return held{}, err
		}
		view := vclock.State{Clock: state.Clock} // decoded clocks alias nothing
		if kind == storagepb.Kind_READ_DIGEST || policy == vclock.LastWriteWins {
			view = state.WithoutValues()
		}
		return held{policy, view, true}, nil
	})
}

// get returns the stored state of an engine key. It is called under its latch.
func (c *Core) get(key []byte) (held, error) {
	return c.decode(key, func(value []byte) (held, error) {
		policy, state, err := vclock.DecodeState(bytes.Clone(value)) // values alias what is decoded
		return held{policy, state, true}, err
	})
}

// decode reads a key by use. Whatever goes wrong there is the engine's failure:
// a state that does not decode is damage.
func (c *Core) decode(key []byte, use func(value []byte) (held, error)) (held, error) {
	if err := c.Err(); err != nil {
		return held{}, err
	}
	var has held
	_, err := c.engine.Get(key, func(value []byte) (err error) {
		if has, err = use(value); err != nil {
			err = fmt.Errorf("%w: state of key %x: %w", ErrDamaged, key, err)
		}
		return err
	})
	if err != nil {
		return held{}, c.fail("read", err)
	}
	return has, nil
}
