package pairdb

import (
	"fmt"
	"time"

	"github.com/devrev/pairdb/idempotency"
	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/vclock"
)

// replay sends an unfinished intent again, dot and context as they are, and brings it to
// an end if it can. gone says that it never had an effect and never will: every
// owner has refused it as too old, under the key's latch, without having seen
// it. (What an owner so refuses it refuses for ever; see the proto, "Time".)
// An error is always ErrUnknown: an earlier attempt may have been applied.
func (u *once) replay(i *idempotency.Intent) (r Receipt, gone bool, err error) {
	k := u.k
	if k.c.cfg.rules.settleByOwnClock && u.oldByOwnClock(i.Dot()) {
		return r, true, nil
	}
	k.c.counters.replays.Add(1)
	u.tell(KeyReplayed, nil)
	covers, err := u.coversOf(i)
	if err != nil {
		return r, false, err
	}
	down, amnesiac := k.v.unusable(k.owners)
	over := make(chan struct{})
	w, err := k.sendWrite(covers, i.State.Siblings[0], vclock.Pin{}, down, amnesiac, over)
	if err != nil {
		return r, false, err
	}
	defer w.free()
	v := w.verdict()
	k.rounds++
	k.c.clock.observe(v.later)
	if v.err == nil {
		return u.replayed(i, idempotency.Result{Acked: v.acked, Owners: len(k.owners), Superseded: v.superseded}), false, nil
	}
	if !w.refusedForAge() {
		return r, false, v.err
	}
	k.await(over) // until all owners have said what they will
	fate, holders := w.fate()
	switch fate {
	case quorum.NeverApplied:
		return r, true, nil
	case quorum.Applied:
		res, err := k.settle(i.Dot(), holders)
		if err != nil {
			return r, false, err
		}
		u.tell(KeySettled, nil)
		return u.replayed(i, res), false, nil
	default:
		return r, false, u.unclear(w)
	}
}

// oldByOwnClock is what a coordinator could think without asking the nodes: it is for the
// test that shows why it must not.
func (u *once) oldByOwnClock(d vclock.Dot) bool {
	const window = 10 * time.Minute
	seen, err := u.k.clockRead(u.k.readLevel(0), u.k.level)
	return err == nil && !seen.Covers(d) && u.k.c.cfg.time().Sub(d.Stamp.Time()) > window
}

// coversOf is what the intent covers: what was recorded with it, whatever has been
// written since.
func (u *once) coversOf(i *idempotency.Intent) (vclock.Clock, error) {
	if u.k.c.cfg.rules.replayCoversAnew && i.Policy == Causal {
		clock, err := u.k.clockRead(u.k.readLevel(0), u.k.level)
		return clock.Join(i.State.Clock), err
	}
	return i.State.Clock, nil
}

// replayed completes the record of a write that this call has finished, and returns its receipt.
func (u *once) replayed(i *idempotency.Intent, res idempotency.Result) Receipt {
	r := u.recorded(i, res)
	u.complete(i, r)
	return r
}

// unclear says why an intent that is too old to be sent again cannot be settled.
func (u *once) unclear(w *writeRequest) error {
	return fmt.Errorf("an earlier call has recorded this write under the idempotency key, and it is too old to be sent again; "+
		"whether it was applied can be told once all owners answer, so try again then: %w",
		&kindError{kind: ErrUnavailable, err: w.failure()})
}

// refusedForAge reports whether some owner has refused the write as too old.
func (w *writeRequest) refusedForAge() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.m.Aged() != 0
}

func (w *writeRequest) fate() (quorum.Fate, quorum.Set) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.m.Fate()
}

// await waits until done is closed, or the caller stops waiting.
func (k *call) await(done <-chan struct{}) {
	timer := time.NewTimer(max(time.Until(k.deadline), 1))
	defer timer.Stop()
	select {
	case <-done:
	case <-k.ctx.Done():
	case <-timer.C:
	}
}
